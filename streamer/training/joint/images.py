"""Speech and faces as 64 x 64 x 3 images (Nguyen et al., section 3.2).

Speech: 64 mel bands from 20 to 8,000 Hz of 25 ms Hamming windows every 10 ms, as logarithms;
windows of 64 frames (655 ms) that overlap by 30; the channels are the static values, their deltas
and the deltas of these. Deltas are regressions over two frames on either side, the paper's open
choice (Young et al., The HTK Book, equation 5.16). Each channel is standardized over its utterance.
"""

from __future__ import annotations

import numpy as np

from streamer.encoders.acoustic.compilation import compile_once
from streamer.training.data.speech import RATE_HZ

BANDS = 64
LOW_HZ, HIGH_HZ = 20.0, 8_000.0
WINDOW, HOP = 400, 160
FRAMES = 64
OVERLAP = 30
REACH = 2
WINDOW_S = (WINDOW + (FRAMES - 1) * HOP) / RATE_HZ


def speech_images(audio: np.ndarray) -> np.ndarray:
    """Every window of an utterance: float32 [windows, 64 bands, 64 frames, 3].

    audio: float32 [n] at 16 kHz. An utterance shorter than a window is repeated to fill one.
    """
    static = log_mel(audio)
    if static.shape[1] < FRAMES:
        static = np.tile(static, (1, -(-FRAMES // static.shape[1])))[:, :FRAMES]
    delta = deltas(static)
    channels = np.stack([static, delta, deltas(delta)], axis=2)
    mean = channels.mean(axis=(0, 1), keepdims=True)
    channels = (channels - mean) / (channels.std(axis=(0, 1), keepdims=True) + 1e-6)
    step = FRAMES - OVERLAP
    starts = range(0, channels.shape[1] - FRAMES + 1, step)
    return np.stack([channels[:, start : start + FRAMES] for start in starts]).astype(np.float32)


def log_mel(audio: np.ndarray) -> np.ndarray:
    """Natural logarithm of the mel power, float64 [64, frames]."""
    padded = np.pad(audio, (0, max(0, WINDOW - len(audio))))
    compile_once()
    from librosa.feature import melspectrogram

    mel = melspectrogram(
        y=padded.astype(np.float32), sr=RATE_HZ, n_fft=512, win_length=WINDOW, hop_length=HOP,
        window="hamming", center=False, n_mels=BANDS, fmin=LOW_HZ, fmax=HIGH_HZ,
    )  # fmt: skip
    return np.asarray(np.log(np.maximum(mel, 1e-10)), np.float64)


def deltas(values: np.ndarray) -> np.ndarray:
    """sum_k k (v_t+k - v_t-k) / (2 sum_k k^2), k = 1, 2, edges repeated: [bands, frames]."""
    padded = np.pad(values, ((0, 0), (REACH, REACH)), mode="edge")
    count = values.shape[1]
    total = np.zeros_like(values)
    for k in range(1, REACH + 1):
        ahead = padded[:, REACH + k : REACH + k + count]
        total += k * (ahead - padded[:, REACH - k : REACH - k + count])
    return total / (2.0 * sum(k * k for k in range(1, REACH + 1)))


def face_images(faces: np.ndarray) -> np.ndarray:
    """Grey faces uint8 [n, side, side] -> float32 [n, 64, 64, 3], standardized each.

    A grey image fills all three channels; other sides are scaled to 64 by linear interpolation.
    """
    side = faces.shape[1]
    places = np.linspace(0.0, side - 1.0, FRAMES)
    low = np.minimum(places.astype(np.intp), side - 2)
    part = (places - low).astype(np.float32)
    rows = faces.astype(np.float32)
    rows = rows[:, low] * (1.0 - part)[:, None] + rows[:, low + 1] * part[:, None]
    scaled = rows[:, :, low] * (1.0 - part) + rows[:, :, low + 1] * part
    mean = scaled.mean(axis=(1, 2), keepdims=True)
    scaled = (scaled - mean) / (scaled.std(axis=(1, 2), keepdims=True) + 1e-6)
    return np.repeat(scaled[..., None], 3, axis=3)
