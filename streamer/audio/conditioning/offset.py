"""A constant offset (DC): found, followed, and subtracted."""

import math
from collections import deque
from statistics import median
from typing import Final

import numpy as np

from streamer.types import Samples

PIECE_SAMPLES: Final = 1_000
MEMORY_PIECES: Final = 64


class OffsetTracker:
    """The median of the means of pieces of 1/16 s, over the last four seconds.

    Speech has no constant part, but a low rumble has for a while: an offset counts only where it
    stands out from how much the pieces' means scatter. Sound without an offset is not touched:
    even a high-pass at 3 Hz moves single predictions by 0.07.

    level: the offset to subtract, in [-1, 1]; 0 where there is none.
    """

    ON: Final = 0.003
    OFF: Final = 0.0015
    # A smaller one counts where it is larger than everything else.
    DOMINANT: Final = 0.0005

    def __init__(self) -> None:
        self._means: deque[float] = deque(maxlen=MEMORY_PIECES)
        self._powers: deque[float] = deque(maxlen=MEMORY_PIECES)
        self._on = False
        self.level = 0.0

    def observe(self, samples: Samples) -> None:
        """samples: float32 [n]; what is left over a whole number of pieces counts if it is all."""
        whole = len(samples) // PIECE_SAMPLES * PIECE_SAMPLES
        pieces = samples[:whole].reshape(-1, PIECE_SAMPLES) if whole else samples[np.newaxis]
        sums = np.add.reduce(pieces, axis=1, dtype=np.float64)
        self._means.extend((sums / pieces.shape[1]).tolist())
        self._powers.extend((np.einsum("ij,ij->i", pieces, pieces) / pieces.shape[1]).tolist())
        middle = median(self._means)
        size = abs(middle)
        # Beside the power around the offset, of the pieces that are not speech.
        dominant = size > self.DOMINANT and size * size > 0.5 * median(self._powers)
        least = self.DOMINANT if dominant else self.OFF if self._on else self.ON
        self._on = size > least and size > 3.0 * self._error(middle)
        self.level = middle if self._on else 0.0

    def _error(self, middle: float) -> float:
        """The standard error of the median, roughly: neighbouring pieces are not independent."""
        spread = 1.4826 * median(abs(mean - middle) for mean in self._means)
        return spread / math.sqrt(max(1.0, len(self._means) / 4.0))
