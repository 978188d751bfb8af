"""The functionals of an utterance: its descriptors summed up in 112 named numbers.

Groups after eGeMAPS (Eyben et al. 2016, section 3); each functional is defined where it is
computed. One that has too few frames, such as the pitch of a whisper, is NaN.
"""

from typing import Final

import numpy as np

from streamer.encoders.acoustic.descriptors import (
    BANDS,
    CEPSTRA,
    FRAME_S,
    SPECTRAL,
    Descriptors,
    Mask,
)
from streamer.types import Vector

UNVOICED: Final = (
    "centroid_khz",
    "zero_crossings_khz",
    "alpha_db",
    "hammarberg_db",
    "slope_low_db",
    "slope_high_db",
)

_FEWEST_FRAMES: Final = 3
_OCTAVE_JUMP_ST: Final = 4.0
_SMOOTHING_FRAMES: Final = 9


def summarize(frames: Descriptors, level_dbfs: float) -> dict[str, float]:
    """All functionals by name, in a fixed order.

    Parameters
    ----------
    frames
        The descriptors of the utterance, brought to a level of 0 dB before.
    level_dbfs
        Its root mean square before that, in dB of full scale: the one functional that depends on
        the level.

    Returns
    -------
    dict
        112 values, NaN where an utterance has too few frames for one.
    """
    return {
        "level_dbfs": level_dbfs,
        **_energy(frames),
        **_pitch(frames),
        **_voice(frames),
        **_timing(frames),
        **_spectrum(frames),
        **_cepstrum(frames),
        **_bands(frames),
    }


def _energy(frames: Descriptors) -> dict[str, float]:
    """Distribution of the energy over the speech, and its slopes in dB/s."""
    energy, active = frames.energy_db, frames.active
    kernel = np.hanning(_SMOOTHING_FRAMES + 2)[1:-1]
    smooth = np.convolve(energy, kernel / kernel.sum(), "same")
    # A peak is roughly a syllable.
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & active[1:-1]
    rise, fall = _slopes(smooth, active, np.inf)
    return {
        "energy_deviation_db": _deviation(energy[active]),
        **_quantiles("energy", "db", energy[active]),
        "energy_rise_db_s": rise,
        "energy_fall_db_s": fall,
        "energy_trend_db_s": _trend(energy, active),
        "energy_peaks_per_s": float(peaks.sum() / (len(energy) * FRAME_S)),
    }


def _pitch(frames: Descriptors) -> dict[str, float]:
    """Height, range and melody of the voice, in semitones (above 27.5 Hz) and semitones/s."""
    pitch, voiced = frames.pitch_st, frames.voiced
    rise, fall = _slopes(pitch, voiced, _OCTAVE_JUMP_ST)
    return {
        "pitch_mean_st": _mean(pitch[voiced]),
        "pitch_deviation_st": _deviation(pitch[voiced]),
        **_quantiles("pitch", "st", pitch[voiced]),
        "pitch_rise_st_s": rise,
        "pitch_fall_st_s": fall,
        "pitch_trend_st_s": _trend(pitch, voiced),
    }


def _voice(frames: Descriptors) -> dict[str, float]:
    """Unsteadiness and breath of the voice.

    jitter_st, shimmer_db: how far a voiced frame's pitch and energy lie off the middle of its two
    neighbours', so that a glide counts for nothing; harmonics_db: harmonics to noise.
    """
    voiced = frames.voiced
    inner = voiced[:-2] & voiced[1:-1] & voiced[2:]
    found = {}
    for name, track in (("jitter_st", frames.pitch_st), ("shimmer_db", frames.energy_db)):
        bend = np.abs(track[1:-1] - 0.5 * (track[:-2] + track[2:]))[inner]
        if name == "jitter_st":
            bend = bend[bend < _OCTAVE_JUMP_ST]
        found[f"{name}_mean"] = _mean(bend)
        found[f"{name}_deviation"] = _deviation(bend)
    found["harmonics_db_mean"] = _mean(frames.harmonics_db[voiced])
    found["harmonics_db_deviation"] = _deviation(frames.harmonics_db[voiced])
    return found


def _timing(frames: Descriptors) -> dict[str, float]:
    """Rhythm: voiced stretches and the pauses between them. Shares in [0, 1], lengths in s."""
    active, voiced = frames.active, frames.voiced
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    runs, pauses = edges[1::2] - edges[::2], edges[2::2] - edges[1:-1:2]
    return {
        "active_share": float(active.mean()),
        "voiced_share": float(voiced.sum() / active.sum()) if active.any() else np.nan,
        "voiced_per_s": float(len(runs) / (len(voiced) * FRAME_S)),
        "voiced_mean_s": float(np.mean(runs) * FRAME_S) if len(runs) else np.nan,
        "voiced_deviation_s": float(np.std(runs) * FRAME_S) if len(runs) else np.nan,
        "pause_mean_s": float(np.mean(pauses) * FRAME_S) if len(pauses) else np.nan,
        "pause_deviation_s": float(np.std(pauses) * FRAME_S) if len(pauses) else np.nan,
    }


def _spectrum(frames: Descriptors) -> dict[str, float]:
    """Shape of the spectrum in voiced frames, and of six descriptors in unvoiced ones.

    centroid, bandwidth: mean and deviation of the amplitude spectrum; rolloff: 85 % of the power
    lies below; flatness: geometric over arithmetic mean of the power; flux: mean rise of the mel
    bands from frame to frame; zero_crossings: thousands a second; alpha: 50-1000 Hz over 1-5 kHz;
    hammarberg: highest peak below 2 kHz over that of 2-5 kHz; slopes: 0-500 Hz and 500-1500 Hz,
    per kHz; contrast: peaks over valleys below 200 Hz and in the five octaves above.
    """
    found = {}
    for column, name in enumerate(SPECTRAL):
        values = frames.spectral[frames.voiced, column]
        found[f"{name}_mean"] = _mean(values)
        found[f"{name}_deviation"] = _deviation(values)
    unvoiced = frames.active & ~frames.voiced
    for name in UNVOICED:
        found[f"unvoiced_{name}_mean"] = _mean(frames.spectral[unvoiced, SPECTRAL.index(name)])
    return found


def _cepstrum(frames: Descriptors) -> dict[str, float]:
    """Mel-frequency cepstral coefficients of the speech, and how fast they move, per second."""
    found = {}
    values, deltas = frames.cepstrum[frames.active], np.abs(frames.deltas[frames.active])
    for column in range(CEPSTRA):
        found[f"mfcc{column + 1}_mean"] = _mean(values[:, column])
        found[f"mfcc{column + 1}_deviation"] = _deviation(values[:, column])
    for column in range(CEPSTRA):
        found[f"mfcc{column + 1}_delta_per_s"] = _mean(deltas[:, column])
    return found


def _bands(frames: Descriptors) -> dict[str, float]:
    """Deviation of the energy in each eighth of the mel scale, in dB, from low to high."""
    return {
        f"band{column + 1}_deviation_db": _deviation(frames.bands_db[frames.active, column])
        for column in range(BANDS)
    }


def _mean(values: Vector) -> float:
    return float(np.mean(values)) if len(values) >= _FEWEST_FRAMES else np.nan


def _deviation(values: Vector) -> float:
    return float(np.std(values)) if len(values) >= _FEWEST_FRAMES else np.nan


def _quantiles(name: str, unit: str, values: Vector) -> dict[str, float]:
    enough = len(values) >= _FEWEST_FRAMES
    levels = np.quantile(values, [0.2, 0.5, 0.8]) if enough else np.full(3, np.nan)
    return {f"{name}_p{p}_{unit}": float(v) for p, v in zip((20, 50, 80), levels, strict=True)}


def _slopes(track: Vector, mask: Mask, jump: float) -> tuple[float, float]:
    """Mean rise and mean fall per second between neighbours in the mask, jumps left out."""
    steps = np.diff(track)[mask[1:] & mask[:-1]]
    steps = steps[np.abs(steps) < jump] / FRAME_S
    return _mean(steps[steps > 0.0]), _mean(steps[steps < 0.0])


def _trend(track: Vector, mask: Mask) -> float:
    """Slope per second of the straight line through a track's frames in the mask."""
    at = np.flatnonzero(mask) * FRAME_S
    if len(at) < _FEWEST_FRAMES:
        return np.nan
    centred = at - at.mean()
    return float(centred @ track[mask] / (centred @ centred))
