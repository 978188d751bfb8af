"""Running normalization: what is usual for this voice and this microphone.

On EmoDB, normalizing per speaker alone takes eGeMAPS with logistic regression from 0.63 to 0.77
UAR: it needs no label and is worth more than any learner.
"""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from streamer.types import Vector

PRIOR_WEIGHT: Final = 4.0
MEMORY: Final = 500.0
LIMIT: Final = 6.0
_SMALLEST_DEVIATION: Final = 1e-3


class RunningNormalization:
    """Running mean and variance of a vector, started from a population's.

    The population counts as `PRIOR_WEIGHT` observations, so the first utterance already has a
    sensible scale; after `MEMORY` observations old ones fade, so a new microphone is adapted to.

    mean, deviation: float64 [d], of the population; a deviation of 0 is taken as `1e-3`.

    The update is the exponentially weighted form of Welford's (Finch 2009, "Incremental
    calculation of weighted mean and variance", section 9) with weight 1/n until n = MEMORY.

    >>> usual = RunningNormalization([0.0], [1.0])
    >>> for value in [4.0, 6.0] * 50:
    ...     usual.update(np.array([value]))
    >>> bool(abs(usual.apply(np.array([5.0]))[0]) < 0.5)
    True
    """

    def __init__(self, mean: ArrayLike, deviation: ArrayLike) -> None:
        self.mean: Vector = np.array(mean, np.float64)
        self.variance: Vector = (
            np.maximum(np.array(deviation, np.float64), _SMALLEST_DEVIATION) ** 2
        )
        self.count = 0

    def update(self, vector: Vector) -> None:
        """Take one finite vector, float64 [d], into account."""
        self.count += 1
        weight = 1.0 / min(PRIOR_WEIGHT + self.count, MEMORY)
        difference = vector - self.mean
        self.mean = self.mean + weight * difference
        self.variance = (1.0 - weight) * (self.variance + weight * difference * difference)

    def apply(self, vector: Vector) -> Vector:
        """Standard scores, [d] or [n, d], cut to [-LIMIT, LIMIT] so that no outlier can rule."""
        deviation = np.maximum(np.sqrt(self.variance), _SMALLEST_DEVIATION)
        return np.clip((vector - self.mean) / deviation, -LIMIT, LIMIT)

    def to_arrays(self) -> dict[str, Vector]:
        return {
            "mean": self.mean,
            "variance": self.variance,
            "count": np.array([self.count], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Vector]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls(arrays["mean"], np.ones_like(arrays["mean"]))
        restored.variance = np.array(arrays["variance"])
        restored.count = int(arrays["count"][0])
        return restored
