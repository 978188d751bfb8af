"""Significance of differences between strategies, paired over seeds and splits.

Wilcoxon's signed-rank test (Wilcoxon 1945; scipy, exact where there are no ties) on the differences
of each pair of runs, with the p-values of a family of comparisons corrected by Holm (1979).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.errors import UsageError
from streamer.types import Vector

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """One name against the baseline, both over the same n runs.

    gain: the median difference, above 0 where it is better. p: two-sided, after Holm.
    """

    name: str
    gain: float
    p: float

    @property
    def mark(self) -> str:
        """ "+" for better, "-" for worse than the baseline at `LEVEL`, "" for neither."""
        if not self.p < LEVEL or self.gain == 0.0:
            return ""
        return "+" if self.gain > 0.0 else "-"


def signed_rank_p(differences: Vector) -> float:
    """Two-sided p of Wilcoxon's signed-rank test that [n] differences lie around 0; 1 if all are 0.

    >>> signed_rank_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    0.03125
    """
    differences = differences[np.isfinite(differences)]
    if not differences.any():
        return 1.0
    # Imported here because it takes half a second.
    from scipy.stats import wilcoxon

    return float(wilcoxon(differences).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given: each in [p, 1].

    The i-th smallest of m is multiplied by m - i + 1, and never smaller than one before it.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def compare(
    runs: Mapping[str, Vector], baseline: str, *, smaller_is_better: bool = False
) -> dict[str, Comparison]:
    """Compare every other name of `runs` with the baseline. runs: float64 [n], paired.

    Raises UsageError where the baseline is missing or the lengths differ.
    """
    if baseline not in runs:
        raise UsageError(f"no runs of {baseline!r} to compare with; there are: {', '.join(runs)}")
    lengths = {len(values) for values in runs.values()}
    if len(lengths) != 1:
        raise UsageError(f"runs of {sorted(lengths)} cannot be paired; finish all runs first")
    sign = -1.0 if smaller_is_better else 1.0
    others = [name for name in runs if name != baseline]
    differences = [sign * (runs[name] - runs[baseline]) for name in others]
    p_values = holm([signed_rank_p(difference) for difference in differences])
    return {
        name: Comparison(name, float(np.median(difference)), p)
        for name, difference, p in zip(others, differences, p_values, strict=True)
    }
