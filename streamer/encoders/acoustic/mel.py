"""The mel scale and a spectrogram on it, as librosa makes it by default, to the last bit.

In numpy, since this is all of librosa that there is a use for here, and its compiler takes 213 MB
of disk and seconds of each start. The scale is that of Slaney's Auditory Toolbox (1998).
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from streamer.types import SAMPLE_RATE_HZ, Matrix, Samples

_LINEAR_HZ: Final = 200.0 / 3.0  # a mel, below the knee
_KNEE_HZ: Final = 1000.0
_KNEE_MEL: Final = _KNEE_HZ / _LINEAR_HZ
_LOG_STEP: Final = np.log(6.4) / 27.0


def hz_to_mel(hz: Matrix) -> Matrix:
    """Linear up to 1 kHz, logarithmic beyond."""
    beyond = _KNEE_MEL + np.log(np.maximum(hz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP
    return np.asarray(np.where(hz < _KNEE_HZ, hz / _LINEAR_HZ, beyond))


def mel_to_hz(mel: Matrix) -> Matrix:
    """The inverse of `hz_to_mel`."""
    beyond = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.asarray(np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, beyond))


@cache
def mel_filters(fft_samples: int, bands: int, lowest_hz: float, highest_hz: float) -> Matrix:
    """Triangles of equal area, [bands, fft_samples // 2 + 1], at 16 kHz."""
    low, high = hz_to_mel(np.array([lowest_hz, highest_hz]))
    edges = mel_to_hz(np.linspace(low, high, bands + 2))
    hz = np.fft.rfftfreq(fft_samples, 1.0 / SAMPLE_RATE_HZ)
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    triangles = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    triangles *= area[:, None]  # librosa rounds before and after
    return triangles.astype(np.float64)


def mel_power(audio: Samples, fft_samples: int, hop: int, bands: int, highest_hz: float) -> Matrix:
    """Power by band, [1 + n // hop, bands], of float32 [n], n >= 1; frames centred on i * hop."""
    padded = np.pad(audio.astype(np.float64), fft_samples // 2)
    frames = sliding_window_view(padded, fft_samples)[::hop]
    window = np.hanning(fft_samples + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    return np.asarray(power @ mel_filters(fft_samples, bands, 0.0, highest_hz).T)
