"""Pitch and harmonicity by the autocorrelation of short windows (Boersma 1993).

"Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound", IFA Proceedings 17, with its window correction and octave cost. Instead of his
path through the candidates, a second pass keeps to the range that the first found (De Looze and
Hirst 2008, Speech Prosody).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from streamer.types import SAMPLE_RATE_HZ, Vector

HOP_SAMPLES: Final = SAMPLE_RATE_HZ // 100
LOWEST_HZ: Final = 60.0
HIGHEST_HZ: Final = 600.0
_WINDOW_SAMPLES: Final = 800  # three periods of the lowest pitch
_FFT_SAMPLES: Final = 2048
# Above, breath hides the periodicity of a voice; below, hum and rumble feign one.
_BAND_HZ: Final = (50.0, 2500.0)
_OCTAVE_COST: Final = 0.02
_CERTAIN: Final = 0.7
_RANGE: Final = (0.6, 2.0)  # around the quartiles of the first pass
_HIGHEST_HARMONICITY: Final = 0.9999  # 40 dB


@dataclass(frozen=True, slots=True)
class Pitch:
    """One value per frame of 10 ms. hz: [frames] in [60, 600], the best candidate whether voiced
    or not. harmonicity: [frames] in [0, 1], the periodic part of the power below 2.5 kHz.
    """

    hz: Vector
    harmonicity: Vector


def track_pitch(audio: Vector) -> Pitch:
    """Pitch of float64 [n], n >= 1: frame i is centred on sample 160 i; 1 + n // 160 frames."""
    correlation = _correlation(audio)
    first = _best(correlation, LOWEST_HZ, HIGHEST_HZ)
    certain = first.hz[first.harmonicity > _CERTAIN]
    if len(certain) == 0:
        return first
    low_hz, high_hz = np.quantile(certain, [0.25, 0.75]) * _RANGE
    return _best(correlation, max(low_hz, LOWEST_HZ), min(high_hz, HIGHEST_HZ))


def frames_around(audio: Vector, size: int) -> NDArray[np.float64]:
    """Windows centred on every 160th sample, zeros beyond the ends: [frames, size], size even."""
    return sliding_window_view(np.pad(audio, size // 2), size)[::HOP_SAMPLES]


def _correlation(audio: Vector) -> NDArray[np.float64]:
    """Autocorrelation of each frame by lag, [frames, lags], corrected for the window's own."""
    window = np.hanning(_WINDOW_SAMPLES + 2)[1:-1]
    frames = frames_around(audio, _WINDOW_SAMPLES) * window
    power = np.abs(np.fft.rfft(frames, _FFT_SAMPLES)) ** 2
    hz = np.fft.rfftfreq(_FFT_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    band = (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])
    lags = int(SAMPLE_RATE_HZ / LOWEST_HZ) + 2
    raw = np.fft.irfft(power * band)[:, :lags]
    # The band cut widens the window's own correlation too little to matter.
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT_SAMPLES)) ** 2)[:lags]
    tiny = np.finfo(np.float64).tiny
    return np.asarray(raw / np.maximum(raw[:, :1], tiny) / (own / own[0]))


def _best(correlation: NDArray[np.float64], low_hz: float, high_hz: float) -> Pitch:
    """The highest peak of each frame between two pitches, refined by a parabola."""
    shortest = max(int(SAMPLE_RATE_HZ / high_hz), 1)
    lags = np.arange(shortest, min(int(SAMPLE_RATE_HZ / low_hz) + 1, correlation.shape[1] - 2) + 1)
    left, here, right = (correlation[:, lags + step] for step in (-1, 0, 1))
    peak = (here >= left) & (here > right)
    curve = np.where(peak, left - 2.0 * here + right, -1.0)
    shift = np.where(peak, 0.5 * (left - right) / np.minimum(curve, -1e-12), 0.0)
    height = np.where(peak, here - 0.25 * (left - right) * shift, 0.0)
    # Twice the period fits as well as the period: the shorter wins (Boersma, equation 26).
    cost = _OCTAVE_COST * np.log2(LOWEST_HZ * lags / SAMPLE_RATE_HZ)
    chosen = np.argmax(np.where(peak, height - cost, -np.inf), axis=1)
    rows = np.arange(len(correlation))
    hz = SAMPLE_RATE_HZ / (lags[chosen] + shift[rows, chosen])
    # Beyond 1 after the window's correction, it is folded back (Boersma, section 2).
    top = height[rows, chosen]
    harmonicity = np.clip(np.where(top > 1.0, 1.0 / np.maximum(top, 1.0), top), 0.0, 1.0)
    return Pitch(np.clip(hz, LOWEST_HZ, HIGHEST_HZ), np.minimum(harmonicity, _HIGHEST_HARMONICITY))
