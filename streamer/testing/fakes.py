"""Stand-ins for the two networks: no model, no onnxruntime, the same answer every time."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streamer.audio.quality import level_dbfs
from streamer.types import SAMPLE_RATE_HZ, Samples


class FakeVoiceActivity:
    """Speech is what is loud; or the given probabilities, frame after frame, then 0.

    By level: 0 at 10 dB below `threshold_dbfs`, 0.5 at it, 1 at 10 dB above.
    """

    def __init__(
        self, probabilities: Iterable[float] | None = None, threshold_dbfs: float = -45.0
    ) -> None:
        self._probabilities = None if probabilities is None else tuple(probabilities)
        self._threshold_dbfs = threshold_dbfs
        self.reset()

    def __call__(self, frame: Samples) -> float:
        """The probability of speech, in [0, 1]. frame: float32 [512]."""
        at = self._heard_frames
        self._heard_frames += 1
        if self._probabilities is not None:
            return self._probabilities[at] if at < len(self._probabilities) else 0.0
        above = (level_dbfs(frame) - self._threshold_dbfs) / 20.0
        return min(max(0.5 + above, 0.0), 1.0)

    def reset(self) -> None:
        """Begin again with the first frame."""
        self._heard_frames = 0


class FakeEncoder:
    """Embeds the mean, spread and movement of log spectral bands, by fixed random weights.

    It carries what arousal needs (level, tilt, liveliness) and is stable: near sounds give near
    embeddings. `sha256` depends on the name and the sizes, as two encoders that differ would.
    """

    def __init__(self, name: str = "fake", embedding_size: int = 16, emotion_size: int = 8) -> None:
        self.name = name
        self.embedding_size = embedding_size
        self.emotion_size = emotion_size
        identity = f"{name} {embedding_size} {emotion_size}".encode()
        self.sha256 = hashlib.sha256(identity).hexdigest()
        weights = np.random.default_rng(0)
        statistics = 3 * len(_BAND_EDGES_HZ[1:])
        self._embed = weights.standard_normal((embedding_size, statistics)) / np.sqrt(statistics)
        self._express = weights.standard_normal((emotion_size, statistics))

    def encode(self, audio: Samples) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """float32 [n] at 16 kHz to (embedding [d], emotion [e] of length 1)."""
        statistics = _band_statistics(audio)
        emotion = self._express @ statistics
        emotion /= max(float(np.linalg.norm(emotion)), 1e-9)
        return (self._embed @ statistics).astype(np.float32), emotion.astype(np.float32)


_WINDOW_SAMPLES = 400
_BAND_EDGES_HZ = (60, 150, 250, 400, 600, 900, 1300, 1900, 2700, 3800, 5400, 7600)


def _band_statistics(audio: Samples) -> NDArray[np.float64]:
    """Mean, standard deviation and mean change of 11 bands' log power, about unit scale."""
    padded = np.pad(audio.astype(np.float64), (0, max(0, 2 * _WINDOW_SAMPLES - len(audio))))
    rows = padded[: len(padded) // _WINDOW_SAMPLES * _WINDOW_SAMPLES].reshape(-1, _WINDOW_SAMPLES)
    power = np.abs(np.fft.rfft(rows * np.hanning(_WINDOW_SAMPLES))) ** 2
    edges = [round(f * _WINDOW_SAMPLES / SAMPLE_RATE_HZ) for f in _BAND_EDGES_HZ]
    bands = np.log10(np.add.reduceat(power, edges, axis=1)[:, :-1] + 1e-6)
    change = np.abs(np.diff(bands, axis=0)).mean(axis=0)
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0), change])
