"""Binary confidence, spread over the feature space by the posterior variance.

Binary confidence alone (Han et al. 2013) selects utterances near zero, including near duplicates.
Here an utterance's worth is, of each dimension k that is asked about,

    exp(4 I_k) v_k,   I_k = -|conf_k - 0.5| in [-0.5, 0]

with v_k the posterior variance of its prediction, in units of the noise, given the ones that were
taken before it in the same batch: half by confidence, and half by what an answer would teach. The
factor goes from 1, where the classifier is even, to exp(-2), where it is sure. Before a dimension
has both classes, v_k alone counts.

    spread           the sum over the dimensions
    spread-in-turn   one dimension after the other
    in-turn          binary confidence of one dimension after the other, without v_k
"""

from collections.abc import Sequence
from itertools import cycle
from typing import Final

import numpy as np

from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategies.posterior import NO_POSTERIOR, Conditioned, covariances_of
from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge, Scores, by_chance
from streamer.types import Matrix, Vector

SHARPNESS: Final = 4.0


class SpreadConfidence(Greedy):
    """See the module: spread, or with `in_turn` spread-in-turn."""

    def __init__(
        self, name: str, in_turn: bool, dimensions: Sequence[str] = ASKED_DIMENSIONS
    ) -> None:
        self.name = name
        self._in_turn = in_turn
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        covariances = covariances_of(features, knowledge, self._dimensions)
        if covariances is None:
            return by_chance(len(features), rng, NO_POSTERIOR)
        models = [Conditioned(covariance) for covariance in covariances]
        factors = [_factor(name, features, knowledge) for name in self._dimensions]
        turns = cycle(range(len(models)))

        def values() -> Vector:
            worth = [f * m.variances for f, m in zip(factors, models, strict=True)]
            return np.asarray(worth[next(turns)] if self._in_turn else np.sum(worth, axis=0))

        def after(index: int) -> Vector:
            for model in models:
                model.take(index)
            return values()

        about = " and ".join(self._dimensions)
        each = "in turn, " if self._in_turn else ""
        reason = f"{each}least sure of {about}, and spread over what is not known yet"
        return Steps(values(), reason, after)


class ConfidenceInTurn(Greedy):
    """See the module: in-turn."""

    name = "in-turn"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        chances = {name: knowledge.confidence(name, features) for name in self._dimensions}
        sure = {name: np.abs(c - 0.5) for name, c in chances.items() if c is not None}
        if not sure:
            lacks = "; ".join(knowledge.lacks(name) for name in self._dimensions)
            return by_chance(len(features), rng, lacks)
        turns = cycle(sure)
        reason = f"in turn least sure of {' and '.join(sure)}"
        return Steps(-sure[next(turns)], reason, lambda _: -sure[next(turns)])


def _factor(dimension: str, features: Matrix, knowledge: Knowledge) -> Vector:
    chance = knowledge.confidence(dimension, features)
    if chance is None:
        return np.ones(len(features))
    return np.asarray(np.exp(-SHARPNESS * np.abs(chance - 0.5)))
