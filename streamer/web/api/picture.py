"""A clip as a picture: its waveform, its mel spectrogram and its pitch, as small numbers.

Importing this module loads librosa.
"""

import base64
from itertools import pairwise
from typing import Any, Final

import numpy as np
from librosa import power_to_db, stft
from librosa.feature import melspectrogram
from numpy.typing import NDArray

from streamer.audio.clips import from_flac
from streamer.encoders.acoustic.pitch import (
    HIGHEST_HZ,
    HOP_SAMPLES,
    LOWEST_HZ,
    VOICED,
    track_pitch,
)
from streamer.types import SAMPLE_RATE_HZ, Samples

COLUMNS: Final = 480
MEL_BANDS: Final = 56
# This far below the loudest point of the clip, the spectrogram is drawn as silence.
RANGE_DB: Final = 70.0
_FFT_SAMPLES: Final = 512
# More than this long is drawn in wider columns.
_MOST_FRAMES: Final = 600
# Frames quieter than this part of the loudest one show no pitch.
_LOUD: Final = 0.05


def picture_of(clip: bytes) -> dict[str, Any]:
    """What the label page draws of a clip.

    Parameters
    ----------
    clip
        FLAC, 16 kHz mono.

    Returns
    -------
    dict
        Ready for JSON. `duration_s`. `waveform`: lows and highs, each COLUMNS bytes in base64,
        -1 to 1 as 0 to 255. `mel`: bytes, [frames, MEL_BANDS] row by row, lowest band first,
        0 (silent) to 255. `pitch`: a value for each frame, 60 Hz as 0 to 600 Hz as 1 on a
        logarithmic scale; None where there is no voice. `frames`, `bands`: how many.
    """
    audio = from_flac(clip)
    step = max(1, -(-len(audio) // (HOP_SAMPLES * _MOST_FRAMES)))
    mel = _mel(audio, step * HOP_SAMPLES)
    return {
        "duration_s": len(audio) / SAMPLE_RATE_HZ,
        "waveform": [_packed(half) for half in _waveform(audio)],
        "frames": len(mel),
        "bands": MEL_BANDS,
        "mel": _packed(mel),
        "pitch": _pitch(audio, step, len(mel)),
    }


def _waveform(audio: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and greatest sample of each column, in [0, 1]."""
    edges = np.linspace(0, len(audio), COLUMNS + 1).astype(int)
    parts = [audio[a : max(b, a + 1)] for a, b in pairwise(edges)]
    low, high = (
        np.array([getattr(part, end)() if part.size else 0.0 for part in parts], np.float64)
        for end in ("min", "max")
    )
    return (low + 1.0) / 2.0, (high + 1.0) / 2.0


def _mel(audio: Samples, hop: int) -> NDArray[np.float64]:
    """[frames, MEL_BANDS] in [0, 1]: decibels above RANGE_DB below the loudest."""
    spectrum = stft(audio, n_fft=_FFT_SAMPLES, hop_length=hop, pad_mode="constant")
    power = melspectrogram(S=np.abs(spectrum) ** 2, sr=SAMPLE_RATE_HZ, n_mels=MEL_BANDS)
    decibels = power_to_db(power, ref=max(float(power.max()), 1e-10), amin=1e-12)
    return np.asarray(np.clip(1.0 + decibels / RANGE_DB, 0.0, 1.0), np.float64).T


def _pitch(audio: Samples, step: int, frames: int) -> list[float | None]:
    pitch = track_pitch(audio.astype(np.float64))
    # On the axis of the spectrogram a voice's melody would be a flat line at the bottom.
    places = np.log(pitch.hz / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)
    loud = np.array([np.abs(part).max() for part in _frames(audio, len(places))])
    audible = loud > _LOUD * max(float(loud.max()), 1e-9)
    voiced = (pitch.harmonicity > VOICED) & audible
    shown = [round(float(p), 4) if v else None for p, v in zip(places, voiced, strict=True)]
    return shown[::step][:frames]


def _frames(audio: Samples, count: int) -> list[Samples]:
    """The samples around each frame's centre."""
    padded = np.pad(audio, (HOP_SAMPLES, 2 * HOP_SAMPLES))
    return [padded[i * HOP_SAMPLES : (i + 2) * HOP_SAMPLES] for i in range(count)]


def _packed(values: NDArray[np.float64]) -> str:
    whole = np.round(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    return base64.b64encode(whole.tobytes()).decode("ascii")
