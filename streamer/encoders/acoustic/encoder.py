"""The acoustic encoder: 112 functionals of pitch, energy, rhythm and spectrum; nothing learned."""

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np

from streamer.encoders.acoustic.compilation import compile_once
from streamer.encoders.acoustic.population import POPULATION
from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.types import SAMPLE_RATE_HZ, Samples, Vector

NAME: Final = "acoustic"
# Raise it whenever the value of a functional changes: a profile must not mix old and new values.
VERSION: Final = "2"
FEATURES: Final = tuple(POPULATION)
SHA256: Final = hashlib.sha256("\n".join([NAME, VERSION, *FEATURES]).encode()).hexdigest()
SILENCE_DBFS: Final = -90.0

_SHORTEST_SAMPLES: Final = SAMPLE_RATE_HZ // 10
_LIMIT: Final = 4.0


class AcousticEncoder:
    """Every value of the embedding has a name, a unit and a definition; see `functionals`.

    The embedding holds the functionals in the order of `FEATURES`, in their own units. The first
    is the level; the others do not depend on it. Where an utterance has no frames for one (the
    pitch of a whisper), the population's mean stands in. The emotion vector holds the standard
    scores of the same functionals against the population, cut at 4 so that no outlier dominates,
    at unit length.

    There is no model file, and no licence but this program's own. `sha256` is that of the version
    and the names, so that profiles are bound to this encoder as to any other. Making one loads
    librosa (`descriptors`); importing this module does not.
    """

    def __init__(self) -> None:
        try:
            compile_once()
            from streamer.encoders.acoustic.descriptors import describe_frames
            from streamer.encoders.acoustic.functionals import summarize
        except (ImportError, RuntimeError) as error:  # RuntimeError: no folder for compiled code
            raise EncoderError(
                f"librosa cannot be loaded ({error}): reinstall it, and set NUMBA_CACHE_DIR to a "
                "folder that may be written"
            ) from error
        self._describe_frames = describe_frames
        self._summarize = summarize
        self.name = NAME
        self.sha256 = SHA256
        self.embedding_size = len(FEATURES)
        self.emotion_size = len(FEATURES)
        mean, deviation = np.array(list(POPULATION.values())).T
        self._mean: Vector = mean
        self._deviation: Vector = deviation

    @property
    def prior(self) -> Prior:
        """The population's scale, and wide predictions around 0 on every dimension."""
        return replace(
            Prior.uninformed(self.embedding_size, self.emotion_size),
            embedding_mean=self._mean,
            embedding_deviation=self._deviation,
        )

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        """Embed one utterance.

        Parameters
        ----------
        audio
            float32 [samples], 16 kHz, in [-1, 1]; shorter than 0.1 s, it is padded with silence.

        Returns
        -------
        embedding, emotion
            float32 [112] each; `emotion` has unit length.

        Raises
        ------
        EncoderError
            For audio that is not finite.
        """
        described = self.functionals(audio)
        values = np.array([described[name] for name in FEATURES])
        values = np.where(np.isnan(values), self._mean, values)
        scores = np.clip((values - self._mean) / self._deviation, -_LIMIT, _LIMIT)
        emotion = scores / np.linalg.norm(scores)
        return values.astype(np.float32), emotion.astype(np.float32)

    def functionals(self, audio: Samples) -> dict[str, float]:
        """The functionals by name, NaN where the utterance has too few frames for one."""
        level_dbfs, levelled = _level(np.asarray(audio, np.float64))
        if len(levelled) < _SHORTEST_SAMPLES:
            levelled = np.pad(levelled, (0, _SHORTEST_SAMPLES - len(levelled)))
        return self._summarize(self._describe_frames(levelled), level_dbfs)


def _level(audio: Vector) -> tuple[float, Vector]:
    """Root mean square in dB of full scale, and the audio without offset, brought to 0 dB.

    Audio below `SILENCE_DBFS` (the last bit of a 16 bit converter) becomes digital silence.
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
