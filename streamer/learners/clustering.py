"""k-means, and the elbow that chooses the number of clusters."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import Matrix, Vector

MOST_CLUSTERS: Final = 8
RESTARTS: Final = 3
_ITERATIONS: Final = 30
# Inertias that bend less than this below their chord fall in a straight line.
_STRAIGHT: Final = 1e-9
# Squared distances come from a difference of large numbers: below this part of them, it is 0.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Clusters:
    """centres: float64 [k, d]; nearest: int [n], each point's centre; inertia: the sum of the

    squared distances to it.
    """

    centres: Matrix
    nearest: NDArray[np.intp]
    inertia: float


class Distances:
    """Squared Euclidean distances from fixed points, [n, d]; exactly 0 where two are equal."""

    def __init__(self, points: Matrix) -> None:
        # About their middle the numbers are small, and so is the rounding of |a|^2 + |b|^2 - 2ab.
        self._middle = points.mean(axis=0) if len(points) else np.zeros(points.shape[1])
        self._points = points - self._middle
        self._lengths = np.einsum("nd,nd->n", self._points, self._points)

    def to(self, others: Matrix) -> Matrix:
        """[n, m] for [m, d]."""
        there = others - self._middle
        lengths = np.add.outer(self._lengths, np.einsum("md,md->m", there, there))
        squared = lengths - 2.0 * (self._points @ there.T)
        squared[squared <= _ROUNDING * lengths] = 0.0
        return np.asarray(squared)


def squared_distances(points: Matrix, others: Matrix) -> Matrix:
    """Of [n, d] to [m, d]: [n, m], see `Distances`.

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[25.,  0.]])
    """
    return Distances(points).to(others)


def k_means(
    points: Matrix, count: int, rng: np.random.Generator, restarts: int = RESTARTS
) -> Clusters:
    """The best of some runs of Lloyd's algorithm, each from a k-means++ start.

    (Arthur and Vassilvitskii 2007.) points: float64 [n, d], n >= count >= 1.
    """
    distances = Distances(points)
    starts = [_spread_start(points, distances, count, rng) for _ in range(restarts)]
    return min((_lloyd(points, distances, s) for s in starts), key=lambda run: run.inertia)


def elbow(inertias: Vector) -> int:
    """The number of clusters at the elbow of the inertias, [K], of 1, 2, ... K clusters.

    The point farthest below the chord from the first to the last, both axes scaled to [0, 1]
    (Satopaa et al. 2011, "kneedle"); 1 where no cluster stands out.

    >>> elbow(np.array([100.0, 40.0, 10.0, 8.0, 7.0, 6.0]))
    3
    """
    fall = inertias[0] - inertias[-1]
    if len(inertias) < 3 or fall <= 0.0:
        return 1
    chord = 1.0 - np.linspace(0.0, 1.0, len(inertias))
    below = chord - (inertias - inertias[-1]) / fall
    return int(np.argmax(below)) + 1 if below.max() > _STRAIGHT else 1


def elbow_clusters(points: Matrix, rng: np.random.Generator, most: int = MOST_CLUSTERS) -> Clusters:
    """k-means with the `elbow` of 1 to `most` clusters; points: float64 [n, d], n >= 1."""
    runs = [k_means(points, count, rng) for count in range(1, min(most, len(points)) + 1)]
    return runs[elbow(np.array([run.inertia for run in runs])) - 1]


def _spread_start(
    points: Matrix, distances: Distances, count: int, rng: np.random.Generator
) -> Matrix:
    """k-means++: each centre is drawn with probability proportional to its squared distance."""
    chosen = [int(rng.integers(len(points)))]
    away = distances.to(points[chosen])[:, 0]
    for _ in range(count - 1):
        total = away.sum()
        chance = away / total if total > 0.0 else None
        chosen.append(int(rng.choice(len(points), p=chance)))
        away = np.minimum(away, distances.to(points[chosen[-1:]])[:, 0])
    return points[chosen]


def _lloyd(points: Matrix, distances: Distances, centres: Matrix) -> Clusters:
    nearest = np.full(len(points), -1, np.intp)
    for _ in range(_ITERATIONS):
        away = distances.to(centres)
        before, nearest = nearest, away.argmin(axis=1)
        if np.array_equal(before, nearest):
            break
        member = np.zeros((len(centres), len(points)))
        member[nearest, np.arange(len(points))] = 1.0
        sizes = member.sum(axis=1)
        filled = sizes > 0  # an empty cluster's centre stays where it is
        centres = centres.copy()
        centres[filled] = (member @ points)[filled] / sizes[filled, np.newaxis]
    inertia = float(distances.to(centres)[np.arange(len(points)), nearest].sum())
    return Clusters(centres, nearest, inertia)
