"""Source and filter: tracks of a voice, 10 ms a row, to sound.

The source is a train of glottal pulses (each a little early or late, louder or softer), breath,
and the hiss of fricatives; the filter is a cascade of formants whose response changes from row
to row. Filtering is done on spectra, all rows at once: a minute of speech takes about half a
second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.types import SAMPLE_RATE_HZ, Samples

Track = NDArray[np.float64]

ROW_SAMPLES = 160
_FFT_SAMPLES = 1120  # two rows of window, five of a resonance dying away
_BREATH = 0.015  # with a breath of 1, some 19 dB below the voice
_HISS = 0.1
_BANDWIDTHS_HZ = np.array([70.0, 90.0, 130.0, 220.0])


@dataclass(frozen=True, slots=True)
class Tracks:
    """One row per 10 ms. Amplitudes are linear, frequencies in Hz.

    pitch_hz, voicing, breath, hiss, hiss_hz: [rows]; formants_hz: [rows, 4].
    tilt_hz: above it the pulse's spectrum falls by 12 dB an octave; lower is softer.
    jitter, shimmer: standard deviation of a pulse's time (in periods) and amplitude.
    """

    pitch_hz: Track
    voicing: Track
    breath: Track
    hiss: Track
    hiss_hz: Track
    formants_hz: Track
    tilt_hz: float
    jitter: float
    shimmer: float


def render(tracks: Tracks, rng: np.random.Generator) -> Samples:
    """The sound of the tracks: float32 [160 rows] at 16 kHz, of no particular level."""
    rows = len(tracks.pitch_hz)
    frequency_hz = np.arange(_FFT_SAMPLES // 2 + 1, dtype=np.float64)
    frequency_hz *= SAMPLE_RATE_HZ / _FFT_SAMPLES
    fall = 1.0 / (1.0 + 1j * frequency_hz / tracks.tilt_hz) ** 2
    lips = 1j * frequency_hz / 1000.0  # radiation: +6 dB an octave
    tract = _formants(tracks.formants_hz, frequency_hz)
    noise = rng.standard_normal((2, rows * ROW_SAMPLES))
    voice = _spectra(_pulses(tracks, rng)) * (fall * lips) * tract
    breath = _spectra(noise[0] * _stretch(tracks.breath)) * (lips / (1.0 + np.abs(lips))) * tract
    band = (frequency_hz[None, :] - tracks.hiss_hz[:, None]) / (0.35 * tracks.hiss_hz[:, None])
    hiss = _spectra(noise[1] * _stretch(tracks.hiss)) / (1.0 + band**2)
    # A soft voice loses power with its tilt: the noises are relative to what is left of it.
    size = float(np.sqrt(np.mean(np.abs(voice) ** 2)))
    return _overlap_add(voice / max(size, 1e-9) + _BREATH * breath + _HISS * hiss)


def _stretch(track: Track) -> Track:
    """Rows to samples, in straight lines."""
    at = np.arange(len(track) * ROW_SAMPLES) / ROW_SAMPLES
    return np.interp(at, np.arange(len(track)), track)


def _pulses(tracks: Tracks, rng: np.random.Generator) -> Track:
    """One impulse per period, between samples: shared by the two neighbours."""
    phase = np.cumsum(_stretch(tracks.pitch_hz)) / SAMPLE_RATE_HZ
    count = int(phase[-1])
    when = np.arange(1, count + 1) + tracks.jitter * rng.standard_normal(count)
    at = np.interp(when, phase, np.arange(len(phase)))
    sample = np.minimum(at.astype(np.int64), len(phase) - 2)
    amplitude = _stretch(tracks.voicing)[sample]
    amplitude *= 1.0 + tracks.shimmer * rng.standard_normal(count)
    out = np.zeros(len(phase))
    np.add.at(out, sample, amplitude * (1.0 - (at - sample)))
    np.add.at(out, sample + 1, amplitude * (at - sample))
    return out


def _formants(formants_hz: Track, frequency_hz: Track) -> NDArray[np.complex128]:
    """The cascade's response: [rows, bins], each resonator 1 at 0 Hz."""
    z = np.exp(-2j * np.pi * frequency_hz / SAMPLE_RATE_HZ)
    response = np.ones((len(formants_hz), len(z)), dtype=np.complex128)
    for k, bandwidth_hz in enumerate(_BANDWIDTHS_HZ):
        radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE_HZ)
        turn = 2.0 * radius * np.cos(2.0 * np.pi * formants_hz[:, k, None] / SAMPLE_RATE_HZ)
        response *= (1.0 - turn + radius**2) / (1.0 - turn * z + radius**2 * z**2)
    return response


def _spectra(sound: Track) -> NDArray[np.complex128]:
    """One windowed spectrum per row; the windows of neighbouring rows add up to 1."""
    padded = np.concatenate([sound, np.zeros(ROW_SAMPLES)]).reshape(-1, ROW_SAMPLES)
    rows = np.concatenate([padded[:-1], padded[1:]], axis=1)
    window = np.hanning(2 * ROW_SAMPLES + 1)[:-1]
    return np.fft.rfft(rows * window, _FFT_SAMPLES, axis=1)


def _overlap_add(spectra: NDArray[np.complex128]) -> Samples:
    rows = len(spectra)
    pieces = np.fft.irfft(spectra, _FFT_SAMPLES, axis=1).reshape(rows, -1, ROW_SAMPLES)
    out = np.zeros((rows + pieces.shape[1] - 1, ROW_SAMPLES))
    for k in range(pieces.shape[1]):
        out[k : k + rows] += pieces[:, k]
    return out[:rows].ravel().astype(np.float32)
