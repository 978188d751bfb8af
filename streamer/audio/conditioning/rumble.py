"""Rumble (wind, traffic, handling) below the voice: a high-pass, as long as it is there."""

from collections import deque
from functools import cache
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.audio.conditioning.blocks import BIN_HZ, POWER_PER_BIN
from streamer.types import SAMPLE_RATE_HZ, Samples

CUTOFF_HZ: Final = 80.0
ORDER: Final = 4
BAND_HZ: Final = (4.0, 30.0)
MEMORY_BLOCKS: Final = 6
# Mean squares of the band. Recordings of studios and of quiet rooms stay below -45 dBFS.
ON: Final = 10.0 ** (-40.0 / 10.0)
OFF: Final = 10.0 ** (-44.0 / 10.0)
# Of the loudest block: rumble that far below the voice does no harm.
LEAST_PART: Final = 0.01
FADE_SAMPLES: Final = 800
_BAND: Final = slice(int(BAND_HZ[0] / BIN_HZ), int(BAND_HZ[1] / BIN_HZ) + 1)


class RumbleFilter:
    """Butterworth, 4th order, 80 Hz; switched on and off at the bounds of blocks, faded over 50 ms.

    Sound without rumble is not touched: the filter moves predictions of clean speech by 0.03 on
    average, single ones by 0.5.
    """

    def __init__(self) -> None:
        self._state: NDArray[np.float64] | None = None
        self._powers: deque[float] = deque(maxlen=MEMORY_BLOCKS)
        self._whole: deque[float] = deque(maxlen=MEMORY_BLOCKS)
        self._fade: NDArray[np.float64] | None = None
        self.is_on = False

    @property
    def power(self) -> float:
        """The mean square of the band below the voice, over the last three seconds."""
        return median(self._powers) if self._powers else 0.0

    @property
    def is_idle(self) -> bool:
        """Samples would pass unchanged."""
        return not self.is_on and self._fade is None

    def observe(self, spectrum: NDArray[np.complex128]) -> None:
        """spectrum: of the next block, see `blocks.spectrum`."""
        whole = spectrum[_BAND.start :]
        self._whole.append(float(np.vdot(whole, whole).real) * POWER_PER_BIN)
        band = spectrum[_BAND]
        self._powers.append(float(np.vdot(band, band).real) * POWER_PER_BIN)

    def decide(self, before: Samples | None) -> None:
        """At the bound of a block. before: the samples before it, to settle on; None at first."""
        least = max(OFF if self.is_on else ON, LEAST_PART * max(self._whole))
        was_on, self.is_on = self.is_on, self.power > least
        self._fade = None
        if self.is_on and not was_on:
            self._state = None
            if before is not None:
                _, self._state = _filtered(before, _settled(before[0]))
                self._fade = np.arange(FADE_SAMPLES) / FADE_SAMPLES
        elif was_on and not self.is_on:
            self._fade = 1.0 - np.arange(FADE_SAMPLES) / FADE_SAMPLES

    def apply(self, samples: Samples, at: int) -> Samples:
        """samples: float32 [n], n > 0, from position `at` of the block on."""
        if self.is_idle or (not self.is_on and at >= FADE_SAMPLES):
            return samples
        if self._state is None:
            self._state = _settled(samples[0])
        filtered, self._state = _filtered(samples, self._state)
        if self._fade is not None and at < FADE_SAMPLES:
            share = self._fade[at : at + len(samples)]
            part = slice(0, len(share))
            filtered[part] = samples[part] + share * (filtered[part] - samples[part])
            if not self.is_on:
                filtered[len(share) :] = samples[len(share) :]
        return np.asarray(filtered, np.float32)


# scipy.signal takes a while to load, and most rooms have no rumble: it is loaded with the first.


@cache
def _sections() -> NDArray[np.float64]:
    from scipy.signal import butter

    return np.asarray(butter(ORDER, CUTOFF_HZ, "highpass", fs=SAMPLE_RATE_HZ, output="sos"))


def _filtered(samples: Samples, state: NDArray[np.float64]) -> tuple[Samples, NDArray[np.float64]]:
    from scipy.signal import sosfilt

    filtered, state = sosfilt(_sections(), samples, zi=state)
    return filtered, state


def _settled(value: np.float32) -> NDArray[np.float64]:
    """The state after a long time at this value."""
    from scipy.signal import sosfilt_zi

    return np.asarray(sosfilt_zi(_sections()) * float(value), np.float64)
