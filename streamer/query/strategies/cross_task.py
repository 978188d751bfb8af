"""Cross-task inconsistency: the predicted emotion and the predicted dimensions disagree.

Xu, Jiang and Wu (2024), "Cross-Task Inconsistency Based Active Learning for Emotion Recognition"
(CTIAL). The class probabilities p of a candidate become dimensions through the affective norms
(equation 3), which are compared with the regressors' predictions (equation 4):

    I = | sum_k p_k norm_k - y^ |_2

and alone (cti), times the entropy of p (equation 8, cti-entropy), over the largest p (equation 9,
lc-ctial), or times the distance d' of equation 11 (equation 12, mtigs-ctial), taken one by one.
Everything is on [-1, 1]; predictions are clipped to it.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from streamer.learners.affective_norms import affective_norm
from streamer.learners.entropy import entropy
from streamer.query.strategies.class_uncertainty import NO_CLASSES
from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategies.greedy_sampling import Nearness, both
from streamer.query.strategy import (
    ASKED_DIMENSIONS,
    ClassChances,
    Knowledge,
    Ranking,
    Scores,
    by_chance,
)
from streamer.types import DIMENSIONS, Matrix, Vector

REASON: Final = "the emotion's name and its dimensions contradict each other"
NO_NORMS: Final = "no affective norms for the emotions that have labels"

Weigh = Callable[[Vector, Matrix], Vector]


def alone(inconsistency: Vector, probabilities: Matrix) -> Vector:
    return inconsistency


def times_entropy(inconsistency: Vector, probabilities: Matrix) -> Vector:
    """Equation 8."""
    return np.asarray(inconsistency * entropy(probabilities))


def over_confidence(inconsistency: Vector, probabilities: Matrix) -> Vector:
    """Equation 9."""
    return np.asarray(inconsistency / probabilities.max(axis=1))


def with_norms(chances: ClassChances) -> tuple[Matrix, Matrix] | None:
    """The chances, [n, J], of the classes that have norms, and these, [J, 3]; None without any.

    A class without norms gives no dimensions: the others' probabilities are scaled to a sum of 1.
    """
    norms = [affective_norm(name) for name in chances.names]
    known = [column for column, norm in enumerate(norms) if norm is not None]
    if not known:
        return None
    part = chances.probabilities[:, known]
    # The lower bound: chances that are all but 0 for every class with norms stay finite.
    part = np.maximum(part, 1e-12)
    table = np.array([norms[column] for column in known], np.float64)
    return part / part.sum(axis=1, keepdims=True), table


def inconsistency(
    features: Matrix, knowledge: Knowledge, dimensions: Sequence[str]
) -> tuple[Vector, Matrix] | str:
    """I of equation 4, [n], and the probabilities, [n, K]; or the reason why there are none."""
    chances = knowledge.classes(features)
    if chances is None:
        return NO_CLASSES
    mapped = with_norms(chances)
    if mapped is None:
        return NO_NORMS
    part, table = mapped
    columns = [DIMENSIONS.index(name) for name in dimensions]
    said = (part @ table)[:, columns]  # equation 3
    predicted = np.clip(knowledge.means(features)[:, columns], -1.0, 1.0)
    return np.linalg.norm(said - predicted, axis=1), chances.probabilities


class CrossTask(Ranking):
    """Inconsistency, with a weighting."""

    pointwise = True

    def __init__(
        self, name: str, weigh: Weigh, dimensions: Sequence[str] = ASKED_DIMENSIONS
    ) -> None:
        self.name = name
        self._weigh = weigh
        self._dimensions = tuple(dimensions)

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        found = inconsistency(features, knowledge, self._dimensions)
        if isinstance(found, str):
            return by_chance(len(features), rng, found)
        return Scores(self._weigh(*found), REASON)


class CrossTaskSampling(Greedy):
    """Inconsistency times the distance to the labelled utterances (CTIAL, equation 12).

    The distance is d' of equation 11, the length of the difference over all dimensions; not the
    product over dimensions of equation 10, which is 0 if a single dimension agrees.
    """

    name = "mtigs-ctial"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        found = inconsistency(features, knowledge, self._dimensions)
        if isinstance(found, str):
            return by_chance(len(features), rng, found)
        weights, _ = found
        near = Nearness(features, knowledge, self._dimensions, both)
        return Steps(
            weights * near.values,
            f"{REASON}, far from all that is answered",
            lambda index: weights * near.take(index),
        )


WEIGHTS: Final[dict[str, Weigh]] = {
    "cti": alone,
    "cti-entropy": times_entropy,
    "lc-ctial": over_confidence,
}
