"""The encoder of the Python interface: called with audio at any sample rate."""

import operator
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from streamer.audio.resampling import Resampler
from streamer.encoders.open import open_encoder
from streamer.encoders.registry import EncoderRow, find_encoder, read_manifest
from streamer.errors import EncoderError, UsageError
from streamer.learners.prior import Prior
from streamer.types import Encoding, Samples

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder

# Resampling and lossy codecs overshoot full scale by some per cent; integers by thousands.
LARGEST: Final = 1.25


def load_encoder(name: str | Path = "", *, threads: int = 1) -> "SpeechEncoder":
    """Load an encoder, ready to be called.

    Parameters
    ----------
    name
        A name of `streamer models list`, or a folder with a models manifest: a `Path`, or text
        with a path separator. Of a folder's several encoders, its default. Empty: the default.
    threads
        How many onnxruntime may use within one operation, 1 to 64.

    Returns
    -------
    SpeechEncoder

    Raises
    ------
    streamer.errors.EncoderError
        There is no such encoder, or its file is missing, altered or of the wrong shape.

    Examples
    --------
    >>> encoder = load_encoder("acoustic")
    >>> encoder.name, encoder.embedding_size
    ('acoustic', 112)
    """
    return SpeechEncoder(open_encoder(_row(name), threads))


class SpeechEncoder:
    """Encodes the audio of one utterance into an `Encoding`.

    Made by `load_encoder`. It may be called from any thread.

    Attributes
    ----------
    name : str
        As `streamer models list` has it.
    sha256 : str
        Of the model's file, in hexadecimal digits; profiles are bound to it.
    embedding_size, emotion_size : int
        Lengths of the two vectors.
    prior : Prior
        Its population statistics and hierarchical prior.

    Examples
    --------
    >>> encoder = load_encoder("acoustic")
    >>> tone = 0.1 * np.sin(2 * np.pi * 220 * np.arange(44_100) / 44_100)
    >>> encoding = encoder(tone, 44_100)
    >>> encoding.embedding.shape, encoding.embedding.dtype
    ((112,), dtype('float32'))
    >>> round(float(np.linalg.norm(encoding.emotion)), 3)
    1.0
    """

    def __init__(self, encoder: "OnnxEncoder | AcousticEncoder") -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.sha256 = encoder.sha256
        self.embedding_size = encoder.embedding_size
        self.emotion_size = encoder.emotion_size

    def __call__(self, audio: ArrayLike, rate_hz: SupportsIndex) -> Encoding:
        """Encode one utterance.

        Parameters
        ----------
        audio
            Floating point [n], mono, in [-1, 1]; n >= 1. Audio below the encoder's minimum length
            is padded with silence.
        rate_hz
            Samples a second, 1,000 to 768,000; resampled to the encoder's rate.

        Returns
        -------
        Encoding
            embedding float32 [d], emotion float32 [e] of unit length.

        Raises
        ------
        streamer.errors.UsageError
            The audio is of integers, of several channels, empty, not finite or far beyond [-1, 1];
            or the rate is no whole number.
        streamer.errors.UnreadableAudio
            The rate is out of range.
        streamer.errors.EncoderError
            The model failed.
        """
        samples = _checked_audio(audio)
        try:
            resampler = Resampler(operator.index(rate_hz), channels=1)
        except TypeError:
            raise UsageError(
                f"a sample rate of {rate_hz!r}: give a whole number of Hz, such as 16000"
            ) from None
        parts = [resampler.push(samples[:, np.newaxis]), resampler.finish()]
        return Encoding(*self._encoder.encode(np.concatenate(parts)))

    @property
    def prior(self) -> Prior:
        return self._encoder.prior

    def __repr__(self) -> str:
        return f"<SpeechEncoder {self.name}: {self.embedding_size} values, {self.sha256[:12]}>"


def _row(name: str | Path) -> EncoderRow:
    if isinstance(name, Path) or os.sep in name or (os.altsep and os.altsep in name):
        folder = Path(name).expanduser()
        rows = read_manifest(folder)
        chosen = [row for row in rows if row.default] or rows
        if len(chosen) == 1:
            return chosen[0]
        known = ", ".join(row.name for row in rows) or "none"
        raise EncoderError(
            f"{folder} holds these encoders: {known}: mark one of them with `default = true` in "
            "its manifest"
        )
    from streamer.config import Config

    return find_encoder(name, Config.load().models)


def _checked_audio(audio: ArrayLike) -> Samples:
    found: np.ndarray[Any, Any] = np.asarray(audio)
    if found.dtype.kind != "f":
        raise UsageError(
            f"the audio is of {found.dtype}: give floating point in [-1, 1]; 16 bit integers "
            "divided by 32768"
        )
    if found.ndim != 1:
        raise UsageError(
            f"the audio has shape {list(found.shape)}: give one channel, [n], such as the mean "
            "over the channels"
        )
    if not len(found):
        raise UsageError("the audio is empty: give at least one sample")
    peak = float(np.abs(found).max())
    if not np.isfinite(peak):
        raise UsageError("the audio has values that are not finite: give numbers in [-1, 1]")
    if peak > LARGEST:
        raise UsageError(
            f"the audio reaches {peak:g}: give it in [-1, 1]; 16 bit values divided by 32768"
        )
    return found.astype(np.float32, copy=False)
