"""What a voice does from frame to frame: energy, pitch, spectrum, cepstrum.

Frames of 25 ms every 10 ms. The low-level descriptors are close to those of eGeMAPS (Eyben et al.
2016, IEEE Transactions on Affective Computing 7, table 1) without formants, which need linear
prediction; the definitions are our own and written at each line.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.encoders.acoustic.mel import mel_filters
from streamer.encoders.acoustic.pitch import HOP_SAMPLES, frames_around, track_pitch
from streamer.types import SAMPLE_RATE_HZ, Matrix, Vector

Mask = NDArray[np.bool_]

FRAME_S: Final = HOP_SAMPLES / SAMPLE_RATE_HZ
SPECTRAL: Final = (
    "centroid_khz",
    "bandwidth_khz",
    "rolloff_khz",
    "flatness_db",
    "flux",
    "alpha_db",
    "hammarberg_db",
    "slope_low_db",
    "slope_high_db",
)
CEPSTRA: Final = 12
BANDS: Final = 8

_WINDOW_SAMPLES: Final = 400
_FFT_SAMPLES: Final = 512
_MEL_BANDS: Final = 40
_MEL_RANGE_HZ: Final = (50.0, 7600.0)
_ENERGY_FLOOR_DB: Final = -60.0
_ACTIVE_DB: Final = 30.0
_VOICED: Final = 0.5  # as much periodic as not: 0 dB
_LOWEST_NOTE_HZ: Final = 27.5
_KHZ: Final[Vector] = np.linspace(0.0, SAMPLE_RATE_HZ / 2e3, _FFT_SAMPLES // 2 + 1)


@dataclass(frozen=True, slots=True)
class Contours:
    """Frames by row.

    active: within 30 dB of the loudest (95th percentile). voiced: active and harmonicity > 0.5.
    energy_db: relative to the whole utterance, at least -60. pitch_st: semitones above 27.5 Hz.
    harmonics_db: harmonics to noise below 2.5 kHz. spectral: [frames, 9], columns `SPECTRAL`.
    cepstrum: [frames, 12], MFCC 1 to 12. bands_db: [frames, 8], log-mel energy in 8 broad bands.
    """

    active: Mask
    voiced: Mask
    energy_db: Vector
    pitch_st: Vector
    harmonics_db: Vector
    spectral: Matrix
    cepstrum: Matrix
    bands_db: Matrix


def measure(audio: Vector) -> Contours:
    """Contours of float64 [n], n >= 1, of zero mean and of mean square 1, or 0 for silence."""
    window = np.hanning(_WINDOW_SAMPLES + 1)[:-1]
    frames = frames_around(audio, _WINDOW_SAMPLES) * window
    power = np.abs(np.fft.rfft(frames, _FFT_SAMPLES)) ** 2
    mean_square = np.sum(frames**2, axis=1) / np.sum(window**2)
    energy_db = np.maximum(_decibel(mean_square), _ENERGY_FLOOR_DB)
    loud_db = max(np.quantile(energy_db, 0.95) - _ACTIVE_DB, _ENERGY_FLOOR_DB)
    active = energy_db > loud_db
    pitch = track_pitch(audio)
    # 80 dB of range: what lies deeper is the codec's or the converter's doing, not the voice's.
    power = np.maximum(power, max(power.max() * 1e-8, 1e-12))
    mel_db = _decibel(power @ mel_filters(_FFT_SAMPLES, _MEL_BANDS, *_MEL_RANGE_HZ).T)
    return Contours(
        active=active,
        voiced=active & (pitch.harmonicity > _VOICED),
        energy_db=energy_db,
        pitch_st=12.0 * np.log2(pitch.hz / _LOWEST_NOTE_HZ),
        harmonics_db=_decibel(pitch.harmonicity / (1.0 - pitch.harmonicity)),
        spectral=_spectral(power),
        cepstrum=mel_db @ cosines().T,
        bands_db=mel_db.reshape(len(mel_db), BANDS, -1).mean(axis=2),
    )


def _spectral(power: Matrix) -> Matrix:
    """The columns of `SPECTRAL`, in order, from power spectra [frames, bins]."""
    amplitude = np.sqrt(power)
    share = amplitude / amplitude.sum(axis=1, keepdims=True)
    centroid = share @ _KHZ
    bandwidth = np.sqrt(np.maximum(share @ _KHZ**2 - centroid**2, 0.0))
    below = np.cumsum(power, axis=1)
    rolloff = _KHZ[np.argmax(below >= 0.85 * below[:, -1:], axis=1)]
    flatness = np.mean(_decibel(power), axis=1) - _decibel(power.mean(axis=1))
    # Squared distance between neighbours of unit length: 0 for a held vowel, 2 at most.
    direction = amplitude / np.linalg.norm(amplitude, axis=1, keepdims=True)
    flux = np.sum(np.diff(direction, axis=0, prepend=direction[:1]) ** 2, axis=1)
    alpha = _decibel(_in(power, 0.05, 1.0).sum(axis=1)) - _decibel(_in(power, 1.0, 5.0).sum(axis=1))
    hammarberg = _decibel(_in(power, 0.0, 2.0).max(axis=1) / _in(power, 2.0, 5.0).max(axis=1))
    low, high = _slope(power, 0.0, 0.5), _slope(power, 0.5, 1.5)
    return np.stack(
        [centroid, bandwidth, rolloff, flatness, flux, alpha, hammarberg, low, high], axis=1
    )


def _slope(power: Matrix, low_khz: float, high_khz: float) -> Vector:
    """dB per kHz of the straight line through the spectrum between two frequencies: [frames]."""
    khz = _in(_KHZ[None], low_khz, high_khz)[0]
    centred = khz - khz.mean()
    return np.asarray(_decibel(_in(power, low_khz, high_khz)) @ centred / (centred @ centred))


def _in(power: Matrix, low_khz: float, high_khz: float) -> Matrix:
    return power[:, (low_khz <= _KHZ) & (high_khz > _KHZ)]


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)))


@cache
def cosines() -> Matrix:
    """Rows 1 to 12 of the orthonormal discrete cosine transform (type 2), [12, 40]."""
    order, band = np.arange(1, CEPSTRA + 1)[:, None], np.arange(_MEL_BANDS)
    cosines = np.cos(np.pi * order * (2 * band + 1) / (2 * _MEL_BANDS))
    return np.asarray(cosines * np.sqrt(2.0 / _MEL_BANDS))
