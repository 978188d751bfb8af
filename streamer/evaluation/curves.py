"""Learning curves: a metric as a function of the number of labels, for several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.errors import UsageError
from streamer.types import Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """labels: float64 [k], growing; values: float64 [runs, k], finite."""

    labels: Vector
    values: Matrix

    @classmethod
    def of(cls, runs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> "Curve":
        """Interpolated from each run's own label counts and values to one grid of labels.

        The grid is the first run's label counts within the range that all runs cover. Raises
        UsageError without runs, where a run has no defined value, or where the ranges do not
        overlap.
        """
        if not runs:
            raise UsageError("a learning curve needs at least one run")
        defined = [_defined(labels, values) for labels, values in runs]
        last = min(labels[-1] for labels, _ in defined)
        first = max(labels[0] for labels, _ in defined)
        labels, _ = defined[0]
        grid = labels[(labels >= first) & (labels <= last)]
        if not len(grid):
            raise UsageError(
                "the runs have no number of labels in common: the corpus is too small for this "
                "scenario; give more clips, or a smaller --first, --buffer or --batch"
            )
        return cls(grid, np.array([np.interp(grid, *run) for run in defined]))

    def until(self, labels: float) -> "Curve":
        """The same curve up to this number of labels."""
        within = self.labels <= labels
        return Curve(self.labels[within], self.values[:, within])

    @property
    def mean(self) -> Vector:
        """Over the runs, [k]."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def deviation(self) -> Vector:
        """Standard deviation over the runs, [k]; 0 for a single one."""
        runs = len(self.values)
        return np.asarray(self.values.std(axis=0, ddof=min(1, runs - 1)))

    def areas(self) -> Vector:
        """The area under each run's curve over the labels' range, [runs]: its mean height."""
        if len(self.labels) < 2:
            return np.asarray(self.values.mean(axis=1))
        widths = np.diff(self.labels)
        heights = (self.values[:, 1:] + self.values[:, :-1]) / 2.0
        return np.asarray(heights @ widths / widths.sum())

    def best(self, *, smaller_is_better: bool = False) -> tuple[float, float]:
        """The best value of the mean curve, and the fewest labels that reach it."""
        mean = -self.mean if smaller_is_better else self.mean
        at = int(np.argmax(mean))
        return float(self.mean[at]), float(self.labels[at])

    def labels_to_reach(self, level: float, *, smaller_is_better: bool = False) -> float | None:
        """Labels at which the mean curve first reaches a level; None if it never does. Han et al.

        (2013, table 3) compare the labels needed to reach the best of passive learning.
        """
        reached = self.mean <= level if smaller_is_better else self.mean >= level
        places = np.flatnonzero(reached)
        return float(self.labels[places[0]]) if len(places) else None


def _defined(labels: Sequence[float], values: Sequence[float]) -> tuple[Vector, Vector]:
    """The points of a run with a finite value."""
    defined = np.isfinite(values)
    if not defined.any():
        raise UsageError("a run without a defined value has no learning curve: give it more labels")
    return np.asarray(labels, np.float64)[defined], np.asarray(values, np.float64)[defined]
