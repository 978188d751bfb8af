"""Sound far too quiet, or beyond full scale: its level is followed, and set by a gain."""

import math
from collections import deque
from statistics import median
from typing import Final

SPEECH_DBFS: Final = -24.0
# Loudest frames at or above this are left alone; RAMP_DB below it they are raised to SPEECH_DBFS.
# One whispered clip of a studio reaches no more than -52; that nothing in ten seconds of speech
# gets louder than -38 says that the microphone is too quiet.
ENOUGH_DBFS: Final = (-50.0, -38.0)
ENOUGH_FRAMES: Final = 300
LOUD_WITHIN_DB: Final = 15.0
RAMP_DB: Final = 4.0
# Frames beyond full scale, as only floating-point samples can be, are lowered to this.
FULL_SCALE_DBFS: Final = 0.0
LOUD_DBFS: Final = -12.0
# Amplified noise stays below this, whatever the level of speech.
NOISE_DBFS: Final = -62.0
MOST_GAIN_DB: Final = 70.0
DIGITAL_SILENCE_DBFS: Final = -119.0
FALL_DB_PER_FRAME: Final = 0.016
NOISE_RISE_DB_PER_FRAME: Final = 0.1


class LevelFollower:
    """The level of the loudest frames, which rises at once and falls by 0.5 dB a second.

    A frame counts with the median of itself and its two predecessors, so that a click is none.
    Observe every frame in order; levels in dBFS.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new timeline."""
        self._recent: deque[float] = deque(maxlen=3)
        self._level_dbfs: float | None = None
        self._noise_dbfs: float | None = None
        self._loud_frames = 0

    @property
    def level_dbfs(self) -> float | None:
        """Of the loudest frames; None before the first."""
        return self._level_dbfs

    def observe(self, frame_dbfs: float) -> None:
        if (
            frame_dbfs > DIGITAL_SILENCE_DBFS
        ):  # which says nothing of the noise that comes with sound
            risen_dbfs = math.inf if self._noise_dbfs is None else self._noise_dbfs
            self._noise_dbfs = min(frame_dbfs, risen_dbfs + NOISE_RISE_DB_PER_FRAME)
        self._recent.append(frame_dbfs)
        now_dbfs = median(self._recent)
        if self._level_dbfs is None:
            self._level_dbfs = now_dbfs
        else:
            self._level_dbfs = max(now_dbfs, self._level_dbfs - FALL_DB_PER_FRAME)
        self._loud_frames += now_dbfs > self._level_dbfs - LOUD_WITHIN_DB

    @property
    def gain_db(self) -> float:
        """What to raise the sound by; below 0 only beyond full scale."""
        if self._level_dbfs is None:
            return 0.0
        # The frame itself too: the first one after digital silence is no click to be raised.
        level_dbfs = max(self._level_dbfs, self._recent[-1])
        if level_dbfs > FULL_SCALE_DBFS:
            return LOUD_DBFS - level_dbfs
        low, high = ENOUGH_DBFS
        enough_dbfs = low + (high - low) * min(1.0, self._loud_frames / ENOUGH_FRAMES)
        if level_dbfs >= enough_dbfs:
            return 0.0
        noise_dbfs = level_dbfs if self._noise_dbfs is None else self._noise_dbfs
        share = min(1.0, (enough_dbfs - level_dbfs) / RAMP_DB)
        wanted_db = share * (SPEECH_DBFS - level_dbfs)
        return max(0.0, min(wanted_db, NOISE_DBFS - noise_dbfs, MOST_GAIN_DB))
