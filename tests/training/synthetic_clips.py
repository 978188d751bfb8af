"""Sound like speech, and small caches of it, for the tests of the training code."""

from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000


def voice(seconds: float, seed: int = 0, pitch_hz: float = 140.0) -> np.ndarray:
    """A wobbling harmonic tone in noise: float32 [samples]."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (pitch_hz * time_s + 3 * np.sin(2 * np.pi * 2 * time_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_s)
    return (0.1 * loud * tone + 0.003 * rng.standard_normal(len(time_s))).astype(np.float32)


def write_speech(folder: Path, clips: int = 6) -> Path:
    """A folder of so many WAV files, half a second and longer."""
    folder.mkdir(parents=True)
    for i in range(clips):
        soundfile.write(folder / f"{i}.wav", voice(0.5 + 0.3 * i, i, 110.0 + 15 * i), RATE_HZ)
    return folder
