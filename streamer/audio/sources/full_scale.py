"""Float samples that are integers: what to divide them by."""

from typing import Final

import numpy as np

from streamer.types import Samples

# Mixed without a limiter, float samples reach a few times full scale; 16 bit integers, thousands.
MOST_FLOAT: Final = 32.0
SCALES: Final = (2.0**15, 2.0**23, 2.0**31)


def is_beyond(samples: Samples) -> bool:
    """Whether any finite sample is far beyond full scale."""
    if not samples.size or np.abs(samples).max() <= MOST_FLOAT:
        return False
    finite = samples[np.isfinite(samples)]
    return bool(finite.size and np.abs(finite).max() > MOST_FLOAT)


def full_scale(peak: float) -> float:
    """The full scale of 16, 24 or 32 bit integers, the least that holds the peak.

    >>> full_scale(30_000.0), full_scale(40_000.0)
    (32768.0, 8388608.0)
    """
    return next((scale for scale in SCALES if peak <= scale), max(SCALES[-1], peak))
