"""Adaptive conformal prediction intervals, calibrated online on the labels."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np

from streamer.types import Vector

COVERAGE: Final = 0.8
START: Final = 1.533
STEP: Final = 0.1
# The first labels of a voice tell most about how wide its intervals must be: the step begins at
# (1 + FIRST_STEPS) STEP and has fallen half of the way to STEP after SETTLED labels.
FIRST_STEPS: Final = 16.0
SETTLED: Final = 3.0
# Beyond these, the share of misses among about the last RECENT labels is hardly chance: of 10,000
# labels of an unchanged voice it comes to that two or three times.
RECENT: Final = 10.0
FEWEST_MISSES: Final = 0.015
MOST_MISSES: Final = 0.5
_BOUNDS: Final = (0.1, 20.0)


class AdaptiveInterval:
    """The half-width, in standard deviations, of intervals that contain `COVERAGE` of the labels.

    Adaptive conformal inference (Gibbs and Candes 2021, equation 2) on the width itself, as in
    quantile tracking (Angelopoulos, Candes and Tibshirani 2023, section 2.1), in the logarithm so
    that the width stays positive: log q <- log q + step (missed - (1 - COVERAGE)). For any sequence
    of labels the fraction of misses tends to 1 - COVERAGE, as long as the width stays between 0.1
    and 20. Starts at the width of Student's t with 4 degrees of freedom.

    Where the share of misses among the last labels shows that something changed, the steps begin
    anew as for a new voice. So 80 % are covered again 30 labels after a person's ratings turned
    round, after noise became threefold, and after 300 equal labels.

    covered, count: intervals that contained their label, and all; each tested before it was
    learned.
    """

    def __init__(self) -> None:
        self.width = START
        self.covered = 0
        self.count = 0
        self._since = 0  # labels since the steps began
        self._misses = 1.0 - COVERAGE  # their share, an exponentially weighted mean

    def observe(self, error: float, deviation: float) -> None:
        """Update with one label:

        its `error` to the predicted mean, and the predicted `deviation`, > 0.
        """
        missed = abs(error) > self.width * deviation
        step = STEP * (1.0 + FIRST_STEPS / (1.0 + self._since / SETTLED))
        self.width *= float(np.exp(step * (float(missed) - (1.0 - COVERAGE))))
        self.width = min(max(self.width, _BOUNDS[0]), _BOUNDS[1])
        self.covered += not missed
        self.count += 1
        self._since += 1
        self._misses += (missed - self._misses) / RECENT
        if not FEWEST_MISSES <= self._misses <= MOST_MISSES:
            self._since, self._misses = 0, 1.0 - COVERAGE

    @property
    def coverage(self) -> float | None:
        """Share of labels inside their interval, or None before the first."""
        return self.covered / self.count if self.count else None

    def to_arrays(self) -> dict[str, Vector]:
        kept = [self.width, self.covered, self.count, self._since, self._misses]
        return {"interval": np.array(kept, np.float64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Vector]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls()
        width, covered, count, since, misses = arrays["interval"]
        restored.width, restored.covered, restored.count = float(width), int(covered), int(count)
        restored._since, restored._misses = int(since), float(misses)
        return restored
