"""Pitch by YIN, and how periodic the voice is at that pitch.

Pitch is `librosa.yin` (de Cheveigné and Kawahara 2002, Journal of the Acoustical Society of
America 111), in two passes: the second is limited to the range that the first found (De Looze and
Hirst 2008, Speech Prosody). YIN does not say whether a frame is voiced, so the normalized
autocorrelation at the period that it found does (Boersma 1993, IFA Proceedings 17).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from librosa import autocorrelate, yin
from librosa.util import frame
from numpy.typing import NDArray
from scipy.signal import butter, get_window, sosfiltfilt

from streamer.types import SAMPLE_RATE_HZ, Vector

HOP_SAMPLES: Final = SAMPLE_RATE_HZ // 100
LOWEST_HZ: Final = 60.0
HIGHEST_HZ: Final = 600.0
# Above this harmonicity a frame is voiced: its periodic part has at least half of the power.
VOICED: Final = 0.5

_YIN_SAMPLES: Final = 1024
_WINDOW_SAMPLES: Final = 800  # three periods of the lowest pitch
# Above, breath hides the periodicity of a voice; below, hum and rumble imitate it.
_BAND_HZ: Final = (50.0, 2500.0)
_CERTAIN: Final = 0.7
_RANGE: Final = (0.6, 2.0)  # around the quartiles of the first pass
_NARROWEST: Final = 2.0  # an octave at least
_HIGHEST_HARMONICITY: Final = 0.9999  # 40 dB
_SHORTEST_SAMPLES: Final = 800


@dataclass(frozen=True, slots=True)
class Pitch:
    """One value per frame of 10 ms.

    Attributes
    ----------
    hz
        [frames], in [60, 600]; an estimate also where there is no voice.
    harmonicity
        [frames], in [0, 1): the periodic part of the power between 50 Hz and 2.5 kHz.
    """

    hz: Vector
    harmonicity: Vector


def track_pitch(audio: Vector) -> Pitch:
    """Pitch and harmonicity of an utterance.

    Parameters
    ----------
    audio
        float64 [n], n >= 1, at 16 kHz.

    Returns
    -------
    Pitch
        Of 1 + n // 160 frames; frame i is centred on sample 160 i.
    """
    count = 1 + len(audio) // HOP_SAMPLES
    if len(audio) < _SHORTEST_SAMPLES:
        audio = np.pad(audio, (0, _SHORTEST_SAMPLES - len(audio)))
    audio = np.asarray(sosfiltfilt(_band(), audio))
    correlation = _autocorrelation(audio)
    hz = _yin(audio, LOWEST_HZ, HIGHEST_HZ)
    harmonicity = _at_period(correlation, hz)
    certain = hz[harmonicity > _CERTAIN]
    if len(certain):
        low_hz, high_hz = np.quantile(certain, [0.25, 0.75]) * _RANGE
        low_hz, high_hz = max(low_hz, LOWEST_HZ), min(high_hz, HIGHEST_HZ)
        hz = _yin(audio, min(low_hz, high_hz / _NARROWEST), high_hz)
        harmonicity = _at_period(correlation, hz)
    return Pitch(hz[:count], harmonicity[:count])


def _yin(audio: Vector, low_hz: float, high_hz: float) -> Vector:
    found = yin(
        audio,
        fmin=low_hz,
        fmax=high_hz,
        sr=SAMPLE_RATE_HZ,
        frame_length=_YIN_SAMPLES,
        hop_length=HOP_SAMPLES,
        pad_mode="constant",
    )
    return np.asarray(np.clip(found, LOWEST_HZ, HIGHEST_HZ), np.float64)


def _autocorrelation(audio: Vector) -> NDArray[np.float64]:
    """Normalized autocorrelation of each frame by lag, [lags, frames], corrected for the window.

    Boersma (1993), equation 9: that of the windowed frame over that of the window.
    """
    window = get_window("hann", _WINDOW_SAMPLES)
    padded = np.pad(audio, _WINDOW_SAMPLES // 2)
    frames = frame(padded, frame_length=_WINDOW_SAMPLES, hop_length=HOP_SAMPLES)
    lags = int(SAMPLE_RATE_HZ / LOWEST_HZ) + 2
    found = autocorrelate(frames * window[:, None], max_size=lags, axis=0)
    own = autocorrelate(window, max_size=lags)
    energy = np.maximum(found[:1], np.finfo(np.float64).tiny)
    return np.asarray(found / energy / (own / own[0])[:, None])


def _at_period(correlation: NDArray[np.float64], hz: Vector) -> Vector:
    """The highest of each frame's correlations within a sample of its period, [frames]."""
    lag = np.clip(np.round(SAMPLE_RATE_HZ / hz).astype(int), 1, len(correlation) - 2)
    frames = np.arange(correlation.shape[1])
    top = np.max([correlation[lag + step, frames] for step in (-1, 0, 1)], axis=0)
    # The window's correction can lift it over 1, from where it is folded back (section 2).
    top = np.where(top > 1.0, 1.0 / np.maximum(top, 1.0), top)
    return np.asarray(np.clip(top, 0.0, _HIGHEST_HARMONICITY))


@cache
def _band() -> NDArray[np.float64]:
    return np.asarray(butter(2, _BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos"))
