"""In place of an `Endpointer`: a timeline is one utterance, from its first sample to its last."""

from typing import Final

import numpy as np

from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.conditioning.usual_level import UsualLevel
from streamer.audio.endpointer import LOUDEST, Cut, raised
from streamer.audio.quality import assess, mean_power, power_dbfs
from streamer.errors import UnreadableAudio
from streamer.types import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples, Span

# An encoder's memory grows with the square of the length.
LONGEST_S: Final = 60


class WholeRecording:
    """Keeps all that it hears, at most `LONGEST_S`; the level is set as an `Endpointer` sets it.

    Its quality knows no pauses: the quietest tenth of the recording stands in for the noise.
    """

    def __init__(self, level: LevelFollower, usual_level: UsualLevel) -> None:
        self._level = level
        self._usual_level = usual_level
        self.reset()

    def begin_source(self) -> None:
        """What comes next is another recording, perhaps of another level."""
        self._usual_level.reset()

    def reset(self) -> None:
        self._level.reset()
        self._parts: list[Samples] = []
        self.speech_samples = 0
        self.silence_samples = 0
        self._gain_db = 0.0

    @property
    def speaking(self) -> bool:
        return bool(self._parts)

    @property
    def level(self) -> float:
        """The RMS level of the last samples, in dBFS."""
        return power_dbfs(mean_power(self._parts[-1])) if self._parts else power_dbfs(0.0)

    @property
    def gain_db(self) -> float:
        return self._gain_db

    def hear(self, samples: Samples) -> list[Cut]:
        """Keep samples, float32 [m]. Raises UnreadableAudio for a recording too long."""
        if samples.size and not np.abs(samples).max() <= LOUDEST:
            samples = np.nan_to_num(samples).clip(-LOUDEST, LOUDEST)
        self._parts.append(samples)
        self.speech_samples += samples.size
        if self.speech_samples > LONGEST_S * SAMPLE_RATE_HZ:
            raise UnreadableAudio(
                f"longer than {LONGEST_S} s, too long for one row: leave out --whole, and it is "
                "cut into utterances"
            )
        return []

    def finish(self) -> list[Cut]:
        if not self.speech_samples:
            return []
        audio = np.concatenate(self._parts)
        for start in range(0, audio.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            self._level.observe(mean_power(audio[start : start + FRAME_SAMPLES]))
        quality = assess(audio, None)
        self._gain_db = self._usual_level.gain_db(quality.level_dbfs) or self._level.gain_db
        return [(Span(0, audio.size), *raised(audio, quality, self._gain_db))]
