"""Weights of several annotators by their agreement with the others.

Each annotator is compared, over all that was answered, with the rest: the mean of the others'
answers on the same utterance, or, without other answers, the population's expectation
(`Prior.expect`). The population decides between two annotators who contradict each other, which
their answers alone cannot. The reliability is the correlation with the rest over valence and
arousal, as in the evaluator-weighted estimator (Grimm and Kroschel 2005), shrunk towards 1 while
there are few answers; an annotator's weight is the cube of theirs over the highest. With a single
annotator the weight is always 1: that person's perception is the target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.names import decode_names, encode_names
from streamer.types import DIMENSIONS, Label, Matrix, Vector

# Answers for which everybody counts as reliable.
GOODWILL: Final = 2.0
# A weight is this power of how reliable somebody is, against the most reliable. Both are chosen on
# corpora other than those that they are tested on (`benchmarks.raters`).
SHARPNESS: Final = 3.0
LEAST_WEIGHT: Final = 0.05
# Two answers as far apart as this make the later one half as heavy. On CREMA-D's votes the squared
# distance of a third vote is then twice what it is where two agree (`benchmarks.raters`).
HALVING_DISTANCE: Final = 1.65
_COMPARED: Final = 2


@dataclass(frozen=True, slots=True)
class Rater:
    """labels: how many answers were compared; weight: in (0, 1], what one of them counts;

    agreement: the correlation with the rest, None before it is defined; disagreement: the mean
    distance from other people's answers on the same utterances, in [0, 2], None without any.
    """

    labels: int
    weight: float
    agreement: float | None
    disagreement: float | None


class RaterWeights:
    """Running weights: `weigh` each label once, in the order in which they were given."""

    def __init__(self) -> None:
        self._names: list[str] = []
        # By annotator: count, sums of x, y, xx, yy, xy over valence and arousal; then how many
        # answers were beside another's, and the sum of the distances.
        self._sums: Matrix = np.zeros((0, 8))
        # Utterance, annotator, and the answers on three dimensions (nan: none).
        self._answers: dict[int, list[tuple[int, Vector]]] = {}

    def weigh(self, label: Label, expected: Vector) -> float:
        """The weight of a label in (0, 1]; expected: the population's expectation, [3].

        It is computed from the labels before this one, which then counts for the following ones.
        """
        person = self._person(label.annotator)
        own = np.array([getattr(label, name) for name in DIMENSIONS], np.float64)
        others = [a for who, a in self._answers.get(label.utterance, []) if who != person]
        weight = self._weights()[person]
        rest = expected
        if others:
            known = np.array(others)
            given = np.isfinite(known)
            sums = np.where(given, known, 0.0).sum(axis=0)
            rest = np.where(given.any(axis=0), sums / np.maximum(given.sum(axis=0), 1), expected)
            apart = np.abs(own - rest)[given.any(axis=0) & np.isfinite(own)]
            if len(apart):
                distance = float(apart.mean())
                weight /= 1.0 + (distance / HALVING_DISTANCE) ** 2
                self._sums[person, 6:] += 1.0, distance
        for x, y in zip(own[:_COMPARED], rest[:_COMPARED], strict=True):
            if np.isfinite(x):
                self._sums[person, :6] += 1.0, x, y, x * x, y * y, x * y
        self._answers.setdefault(label.utterance, []).append((person, own))
        return max(float(weight), LEAST_WEIGHT)

    def raters(self) -> dict[str, Rater]:
        """All annotators, in the order of their first answer."""
        weights = self._weights()
        return {
            name: Rater(
                sum(who == at for answers in self._answers.values() for who, _ in answers),
                float(weights[at]),
                _correlation(self._sums[at]),
                float(self._sums[at, 7] / self._sums[at, 6]) if self._sums[at, 6] else None,
            )
            for at, name in enumerate(self._names)
        }

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        rows = [[u, who, *own] for u, of in self._answers.items() for who, own in of]
        return {
            "names": encode_names(self._names),
            "sums": self._sums.copy(),
            "answers": np.array(rows, np.float64).reshape(-1, 2 + len(DIMENSIONS)),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls()
        restored._names = list(decode_names(arrays["names"]))
        restored._sums = np.array(arrays["sums"])
        for row in arrays["answers"]:
            own = (int(row[1]), np.array(row[2:]))
            restored._answers.setdefault(int(row[0]), []).append(own)
        return restored

    def _person(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
            self._sums = np.concatenate([self._sums, np.zeros((1, 8))])
        return self._names.index(name)

    def _weights(self) -> Vector:
        """The annotators' weights, [a], scaled to 1 for the most reliable."""
        reliable = np.empty(len(self._names))
        for at, sums in enumerate(self._sums):
            correlation = _correlation(sums)
            seen = sums[0] / _COMPARED
            said = 1.0 if correlation is None else max(correlation, 0.0)
            reliable[at] = (GOODWILL + seen * said) / (GOODWILL + seen)
        highest = reliable.max(initial=0.0)
        return np.asarray(np.maximum((reliable / highest) ** SHARPNESS, LEAST_WEIGHT))


def _correlation(sums: Vector) -> float | None:
    """None for fewer than 3 pairs, or where one side never varies."""
    count, x, y, xx, yy, xy = sums[:6]
    if count < 3:
        return None
    across, spread = count * xy - x * y, (count * xx - x * x) * (count * yy - y * y)
    return float(across / np.sqrt(spread)) if spread > 1e-12 else None
