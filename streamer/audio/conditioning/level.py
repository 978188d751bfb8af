"""Sound far too quiet, or beyond full scale: its level is followed, and set by a gain."""

import math
from typing import Final

from streamer.audio.quality import power_dbfs

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
# Mean squares, or ratios of them, as frames are compared without taking logarithms.
_FALL_PER_FRAME: Final = 10.0**-0.0016  # 0.5 dB a second
_NOISE_RISE_PER_FRAME: Final = 10.0**0.01  # 3 dB a second
_LOUD_WITHIN: Final = 10.0 ** (-LOUD_WITHIN_DB / 10.0)
_ENOUGH: Final = 10.0 ** (ENOUGH_DBFS[1] / 10.0)
_FULL_SCALE: Final = 10.0 ** (FULL_SCALE_DBFS / 10.0)
_DIGITAL_SILENCE: Final = 10.0**-11.9


class LevelFollower:
    """The level of the loudest frames, which rises at once and falls by 0.5 dB a second.

    A frame counts with the median of itself and its two predecessors, so that a click is none.
    Observe the mean square of every frame in order.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new timeline."""
        self._before = self._frame = 0.0
        self._level = 0.0
        self._noise = math.inf
        self._loud_frames = 0

    def observe(self, power: float) -> None:
        # Digital silence says nothing of the noise that comes with sound.
        if power > _DIGITAL_SILENCE:
            self._noise = min(power, self._noise * _NOISE_RISE_PER_FRAME)
        low, high = sorted((self._before, self._frame))
        self._before, self._frame = self._frame, power
        now = max(low, min(high, power))  # the median of the three
        self._level = max(now, self._level * _FALL_PER_FRAME)
        self._loud_frames += now > self._level * _LOUD_WITHIN

    @property
    def gain_db(self) -> float:
        """What to raise the sound by; below 0 only beyond full scale."""
        if _ENOUGH <= self._level <= _FULL_SCALE:
            return 0.0
        # The frame itself too: the first one after digital silence is no click to be raised.
        level_dbfs = power_dbfs(max(self._level, self._frame))
        if level_dbfs > FULL_SCALE_DBFS:
            return LOUD_DBFS - level_dbfs
        low, high = ENOUGH_DBFS
        enough_dbfs = low + (high - low) * min(1.0, self._loud_frames / ENOUGH_FRAMES)
        if level_dbfs >= enough_dbfs or math.isinf(self._noise):
            return 0.0
        share = min(1.0, (enough_dbfs - level_dbfs) / RAMP_DB)
        wanted_db = share * (SPEECH_DBFS - level_dbfs)
        return max(0.0, min(wanted_db, NOISE_DBFS - power_dbfs(self._noise), MOST_GAIN_DB))
