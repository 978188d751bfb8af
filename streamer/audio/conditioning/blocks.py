"""Blocks of half a second, by which disturbances are measured.

Half a second holds a whole number of cycles of every multiple of 50 and 60 Hz, so that the
phases of hum in successive blocks can be compared.
"""

from typing import Final

import numpy as np

from streamer.types import SAMPLE_RATE_HZ, Samples, Vector

BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ // 2
BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE_HZ
# Hum and rumble lie below 1 kHz: they are measured at 2 kHz.
DECIMATION: Final = 8
DECIMATED_SAMPLES: Final = BLOCK_SAMPLES // DECIMATION
_MEAN: Final = np.full(DECIMATION, 1.0 / DECIMATION, np.float32)
BIN_HZ: Final = 1.0 / BLOCK_S
# Hann window, periodic, of sum 1.
_WINDOW: Final = (1.0 - np.cos(2.0 * np.pi * np.arange(DECIMATED_SAMPLES) / DECIMATED_SAMPLES)) / (
    DECIMATED_SAMPLES
)
POWER_PER_BIN: Final = 2.0 / (DECIMATED_SAMPLES * float(_WINDOW @ _WINDOW))


def decimate(block: Samples) -> Vector:
    """float32 [BLOCK_SAMPLES] at 16 kHz to float64 [DECIMATED_SAMPLES] at 2 kHz, by means."""
    return (block.reshape(-1, DECIMATION) @ _MEAN).astype(np.float64)


def spectrum(decimated: Vector) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
    """Windowed spectrum of a decimated block; bin k is at 2 k Hz.

    A sinusoid of amplitude a at a bin's frequency has magnitude a / 2 there; the power of a band
    is the sum of its squared magnitudes times `POWER_PER_BIN`.
    """
    return np.fft.rfft(decimated * _WINDOW)
