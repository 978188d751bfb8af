"""What a voice does from frame to frame: energy, pitch, spectrum, cepstrum.

Frames of 25 ms every 10 ms. Everything that librosa measures is librosa's. Four descriptors that
it does not have (alpha ratio, Hammarberg index and two spectral slopes) follow eGeMAPS (Eyben et
al. 2016, IEEE Transactions on Affective Computing 7, table 1).

Importing this module loads librosa, which takes about 200 MB of memory and a second or two.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from librosa import feature, power_to_db, stft
from librosa.onset import onset_strength
from numpy.typing import NDArray

from streamer.encoders.acoustic.pitch import HOP_SAMPLES, VOICED, track_pitch
from streamer.types import SAMPLE_RATE_HZ, Matrix, Vector

Mask = NDArray[np.bool_]

FRAME_S: Final = HOP_SAMPLES / SAMPLE_RATE_HZ
CEPSTRA: Final = 12
BANDS: Final = 8
CONTRASTS: Final = 6
SPECTRAL: Final = (
    "centroid_khz",
    "bandwidth_khz",
    "rolloff_khz",
    "flatness_db",
    "flux_db",
    "zero_crossings_khz",
    "alpha_db",
    "hammarberg_db",
    "slope_low_db",
    "slope_high_db",
    *(f"contrast{band + 1}_db" for band in range(CONTRASTS)),
)

_WINDOW_SAMPLES: Final = 400
_FFT_SAMPLES: Final = 512
_MEL_BANDS: Final = 40
_MEL_RANGE_HZ: Final = (50.0, 7600.0)
_CONTRAST_LOWEST_HZ: Final = 200.0
_ENERGY_FLOOR_DB: Final = -60.0
_ACTIVE_DB: Final = 30.0
_RANGE_DB: Final = 80.0
_LOWEST_NOTE_HZ: Final = 27.5
_ROLLOFF: Final = 0.85
_DELTA_FRAMES: Final = 5
_HZ: Final[Vector] = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _FFT_SAMPLES // 2 + 1)


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The low-level descriptors of one utterance, frames by row.

    Attributes
    ----------
    active
        [frames]: within 30 dB of the loudest (95th percentile).
    voiced
        [frames]: active, and harmonicity above 0.5.
    energy_db
        [frames]: root mean square, relative to the whole utterance, at least -60.
    pitch_st
        [frames]: semitones above 27.5 Hz.
    harmonics_db
        [frames]: harmonics-to-noise ratio between 50 Hz and 2.5 kHz.
    spectral
        [frames, 16]: the columns `SPECTRAL`.
    cepstrum
        [frames, 12]: MFCC 1 to 12.
    deltas
        [frames, 12]: their first differences, per second.
    bands_db
        [frames, 8]: log-mel energy in 8 broad bands.
    """

    active: Mask
    voiced: Mask
    energy_db: Vector
    pitch_st: Vector
    harmonics_db: Vector
    spectral: Matrix
    cepstrum: Matrix
    deltas: Matrix
    bands_db: Matrix


def describe_frames(audio: Vector) -> Descriptors:
    """Measure an utterance.

    Parameters
    ----------
    audio
        float64 [n], n >= 1600, at 16 kHz, of zero mean and of mean square 1, or 0 for silence.

    Returns
    -------
    Descriptors
        Of 1 + n // 160 frames; frame i is centred on sample 160 i.
    """
    rms = feature.rms(
        y=audio, frame_length=_WINDOW_SAMPLES, hop_length=HOP_SAMPLES, pad_mode="constant"
    )[0]
    energy_db = np.maximum(_decibel(rms**2), _ENERGY_FLOOR_DB)
    loud_db = max(np.quantile(energy_db, 0.95) - _ACTIVE_DB, _ENERGY_FLOOR_DB)
    active = energy_db > loud_db
    pitch = track_pitch(audio)
    spectrum = stft(
        audio,
        n_fft=_FFT_SAMPLES,
        win_length=_WINDOW_SAMPLES,
        hop_length=HOP_SAMPLES,
        pad_mode="constant",
    )
    power = np.abs(spectrum) ** 2
    # Deeper lie the artefacts of codecs and converters, not the voice.
    power = np.maximum(power, max(power.max() * 10.0 ** (-_RANGE_DB / 10.0), 1e-12))
    mel = feature.melspectrogram(
        S=power,
        sr=SAMPLE_RATE_HZ,
        n_mels=_MEL_BANDS,
        fmin=_MEL_RANGE_HZ[0],
        fmax=_MEL_RANGE_HZ[1],
    )
    mel_db = _decibel(mel)
    cepstrum = feature.mfcc(S=mel_db, n_mfcc=CEPSTRA + 1)[1:]
    deltas = feature.delta(cepstrum, width=_DELTA_FRAMES) / FRAME_S
    return Descriptors(
        active=active,
        voiced=active & (pitch.harmonicity > VOICED),
        energy_db=energy_db,
        pitch_st=12.0 * np.log2(pitch.hz / _LOWEST_NOTE_HZ),
        harmonics_db=_decibel(pitch.harmonicity / (1.0 - pitch.harmonicity)),
        spectral=_spectral(audio, power, mel_db),
        cepstrum=cepstrum.T,
        deltas=deltas.T,
        bands_db=mel_db.reshape(BANDS, -1, mel_db.shape[1]).mean(axis=1).T,
    )


def _spectral(audio: Vector, power: Matrix, mel_db: Matrix) -> Matrix:
    """The columns of `SPECTRAL`, in order, from power spectra [bins, frames]: [frames, 16]."""
    amplitude = np.sqrt(power)
    rate = SAMPLE_RATE_HZ
    centroid = feature.spectral_centroid(S=amplitude, sr=rate)
    rows = [
        centroid / 1e3,
        feature.spectral_bandwidth(S=amplitude, sr=rate, centroid=centroid) / 1e3,
        feature.spectral_rolloff(S=power, sr=rate, roll_percent=_ROLLOFF) / 1e3,
        _decibel(feature.spectral_flatness(S=amplitude, power=2.0)),
        # Mean rise of the mel bands from one frame to the next, in dB.
        onset_strength(S=mel_db, sr=rate, center=False)[None],
        rate / 1e3
        * feature.zero_crossing_rate(
            audio, frame_length=_WINDOW_SAMPLES, hop_length=HOP_SAMPLES
        ),
        [_decibel(_in(power, 50.0, 1e3).sum(axis=0)) - _decibel(_in(power, 1e3, 5e3).sum(axis=0))],
        [_decibel(_in(power, 0.0, 2e3).max(axis=0) / _in(power, 2e3, 5e3).max(axis=0))],
        [_slope(power, 0.0, 500.0)],
        [_slope(power, 500.0, 1500.0)],
        feature.spectral_contrast(
            S=amplitude, sr=rate, fmin=_CONTRAST_LOWEST_HZ, n_bands=CONTRASTS - 1
        ),
    ]  # fmt: skip
    return np.concatenate(rows).T


def _slope(power: Matrix, low_hz: float, high_hz: float) -> Vector:
    """dB per kHz of the straight line through the spectrum between two frequencies: [frames]."""
    khz = _in(_HZ[:, None], low_hz, high_hz)[:, 0] / 1e3
    centred = khz - khz.mean()
    return np.asarray(centred @ _decibel(_in(power, low_hz, high_hz)) / (centred @ centred))


def _in(power: Matrix, low_hz: float, high_hz: float) -> Matrix:
    return power[(low_hz <= _HZ) & (high_hz > _HZ)]


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(power_to_db(power, amin=1e-12, top_db=None))
