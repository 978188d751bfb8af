"""Greedy sampling: largest distance to the labelled utterances (Wu, Lin and Huang 2019).

With d^x = |x_n - x_m| and d^y = |y^_n - y_m| between a candidate n and an answered m:

    GSx    min_m d^x                    diversity in the features
    GSy    min_m d^y                    diversity in the answers
    iGS    min_m d^x |d^y|_2            both (over several dimensions: CTIAL, equation 11)
    MTiGS  min_m d^x prod_k d^y_k       both, over several dimensions k (CTIAL, equation 10)

Over several dimensions, GSy and iGS take d^y as the Euclidean distance. An utterance selected
earlier in a batch counts as labelled with its prediction. Before the first label all of them start
as GSx: nearest to the mean of the buffer, then farthest from the selected ones.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.learners.clustering import Distances
from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge
from streamer.types import DIMENSIONS, Matrix, Vector

Combine = Callable[[Matrix, Matrix], Matrix]
Classes = NDArray[np.intp]


def only_features(away: Matrix, apart: Matrix) -> Matrix:
    """GSx. away: d^x, [n, m]; apart: d^y of each dimension, [n, m, k]; returns [n, m]."""
    return away


def only_answers(away: Matrix, apart: Matrix) -> Matrix:
    """GSy."""
    return np.asarray(np.sqrt((apart**2).sum(axis=2)))


def both(away: Matrix, apart: Matrix) -> Matrix:
    """iGS; over several dimensions CTIAL's d' (equation 11)."""
    return away * only_answers(away, apart)


def all_tasks(away: Matrix, apart: Matrix) -> Matrix:
    """MTiGS (CTIAL, equation 10)."""
    return np.asarray(away * apart.prod(axis=2))


class Nearness:
    """The distance of each of [n, d] to the nearest labelled or selected utterance.

    named: gives the class of each of [n, d], an int [n]. With it, only those of the same class
    count; all where the class has none.
    """

    def __init__(
        self,
        features: Matrix,
        knowledge: Knowledge,
        dimensions: Sequence[str],
        combine: Combine,
        named: Callable[[Matrix], Classes] | None = None,
    ) -> None:
        columns = [DIMENSIONS.index(name) for name in dimensions]
        labelled = knowledge.labelled()
        answered = np.isfinite(labelled.answers[:, columns]).all(axis=1)
        places, answers = labelled.features[answered], labelled.answers[answered][:, columns]
        self._features = features
        self._distances = Distances(features)
        self._means = knowledge.means(features)[:, columns]
        self._classes = None if named is None else named(features)
        self._overall = np.full(len(features), np.inf)
        self._within = np.full(len(features), np.inf)
        self.answered = len(places)
        self._combine = combine if self.answered else only_features
        if self.answered:
            self._add(places, answers, None if named is None else named(places))

    @property
    def values(self) -> Vector:
        """[n]; before the first label, the largest distance to the mean less the own distance."""
        if np.isinf(self._overall).all():
            middle = self._features.mean(axis=0)[np.newaxis]
            away = np.sqrt(self._distances.to(middle)[:, 0])
            return np.asarray(away.max() - away)
        return np.where(np.isfinite(self._within), self._within, self._overall)

    def take(self, index: int) -> Vector:
        """The distances, [n], once that one of the buffer is taken too."""
        one = [index]
        classes = None if self._classes is None else self._classes[one]
        self._add(self._features[one], self._means[one], classes)
        return self.values

    def _add(self, places: Matrix, answers: Matrix, classes: Classes | None) -> None:
        away = np.sqrt(self._distances.to(places))
        apart = np.abs(self._means[:, np.newaxis] - answers[np.newaxis])
        distance = self._combine(away, apart)
        self._overall = np.minimum(self._overall, distance.min(axis=1))
        if self._classes is not None and classes is not None:
            other = self._classes[:, np.newaxis] != classes[np.newaxis]
            nearest = np.where(other, np.inf, distance).min(axis=1)
            self._within = np.minimum(self._within, nearest)


class GreedySampling(Greedy):
    """One of the family; `combine` tells which."""

    def __init__(
        self, name: str, combine: Combine, dimensions: Sequence[str] = ASKED_DIMENSIONS
    ) -> None:
        self.name = name
        self._combine = combine
        self._dimensions = tuple(dimensions)

    def begin(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Steps:
        near = Nearness(features, knowledge, self._dimensions, self._combine)
        spread = "spread over the buffer (no labels yet)"
        reason = "far from all that is answered" if near.answered else spread
        return Steps(near.values, reason, near.take)


FAMILY: Final[dict[str, Combine]] = {
    "gsx": only_features,
    "gsy": only_answers,
    "igs": both,
    "mtigs": all_tasks,
}
