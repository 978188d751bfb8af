"""The transparent encoder: 88 functionals of pitch, energy, rhythm, spectrum; not learned."""

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np

from streamer.encoders.acoustic.contours import measure
from streamer.encoders.acoustic.functionals import describe
from streamer.encoders.population import POPULATION
from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.types import SAMPLE_RATE_HZ, Samples, Vector

NAME: Final = "acoustic"
# Raise it whenever a functional changes its value: profiles must not mix the old with the new.
VERSION: Final = "1"
FEATURES: Final = tuple(POPULATION)
SHA256: Final = hashlib.sha256("\n".join([NAME, VERSION, *FEATURES]).encode()).hexdigest()
SILENCE_DBFS: Final = -90.0

_MINIMUM_SAMPLES: Final = SAMPLE_RATE_HZ // 10
_LIMIT: Final = 4.0


class AcousticEncoder:
    """Every value of the embedding has a name, a unit and a definition; see `functionals`.

    embedding: the functionals in the order of `FEATURES`, in their own units. The first is the
    level; the others do not change with it. One that an utterance has no frames for (the pitch of
    a whisper) takes the population's mean: it says nothing. emotion: standard scores of the same
    functionals against the population, cut at 4 so that no outlier rules, at unit length.

    There is no file and no licence but this program's own. `sha256` is that of the version and
    the names, so that profiles are bound to this encoder as to any other.
    """

    def __init__(self) -> None:
        self.name = NAME
        self.sha256 = SHA256
        self.embedding_size = len(FEATURES)
        self.emotion_size = len(FEATURES)
        mean, deviation = np.array(list(POPULATION.values())).T
        self._mean: Vector = mean
        self._deviation: Vector = deviation

    @property
    def prior(self) -> Prior:
        """The population's scale, and no opinion: 0 on every dimension, widely."""
        return replace(
            Prior.uninformed(self.embedding_size, self.emotion_size),
            embedding_mean=self._mean,
            embedding_deviation=self._deviation,
        )

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        """embedding float32 [88] and emotion float32 [88] of one utterance, float32 [samples].

        Shorter audio than 0.1 s is padded with silence. Raises EncoderError for audio that is not
        finite.
        """
        level_dbfs, levelled = _level(np.asarray(audio, np.float64))
        if len(levelled) < _MINIMUM_SAMPLES:
            levelled = np.pad(levelled, (0, _MINIMUM_SAMPLES - len(levelled)))
        described = describe(measure(levelled), level_dbfs)
        values = np.array([described[name] for name in FEATURES])
        values = np.where(np.isnan(values), self._mean, values)
        scores = np.clip((values - self._mean) / self._deviation, -_LIMIT, _LIMIT)
        emotion = scores / np.linalg.norm(scores)
        return values.astype(np.float32), emotion.astype(np.float32)


def _level(audio: Vector) -> tuple[float, Vector]:
    """Root mean square in dB of full scale, and the audio without offset, brought to 0 dB.

    What lies below `SILENCE_DBFS` (a 16 bit converter's last bit) becomes digital silence.
    """
    if not np.isfinite(audio).all():
        raise EncoderError("encoder 'acoustic' was given audio that is not finite")
    if len(audio) == 0:
        return SILENCE_DBFS, audio
    centred = audio - audio.mean()
    mean_square = float(np.mean(centred**2))
    level_dbfs = 10.0 * np.log10(max(mean_square, 1e-30))
    if level_dbfs <= SILENCE_DBFS:
        return SILENCE_DBFS, np.zeros_like(centred)
    return level_dbfs, centred / np.sqrt(mean_square)
