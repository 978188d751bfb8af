"""Lowest confidence of binary classifiers (Han et al. 2013, equations 1-3)."""

from collections.abc import Sequence

import numpy as np

from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge, Ranking, Scores, by_chance
from streamer.types import Matrix, Vector


class BinaryConfidence(Ranking):
    """Labels become -1 on [-1, 0] and +1 on (0, 1]; conf = 1/(1 + exp(A f + B)); the

    informativeness I = -|conf - 0.5|, in [-0.5, 0], is averaged over `dimensions`. A dimension
    that lacks a class is left out; when all lack one, the choice is random, with the reason.
    """

    name = "binary-confidence"
    pointwise = True

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self.dimensions = tuple(dimensions)

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        scored, missing = self._by_dimension(features, knowledge)
        lacks = "; ".join(missing)
        if not scored:
            return by_chance(len(features), rng, lacks)
        reason = f"least sure of {' and '.join(scored)}"
        return Scores(_average(scored), f"{reason} ({lacks})" if lacks else reason)

    def informativeness(self, features: Matrix, knowledge: Knowledge) -> Vector | None:
        """I of [n, d], float64 [n], or None while every dimension lacks a class."""
        scored, _ = self._by_dimension(features, knowledge)
        return _average(scored) if scored else None

    def _by_dimension(
        self, features: Matrix, knowledge: Knowledge
    ) -> tuple[dict[str, Vector], list[str]]:
        scored, missing = {}, []
        for name in self.dimensions:
            chance = knowledge.confidence(name, features)
            if chance is None:
                missing.append(knowledge.lacks(name))
            else:
                scored[name] = -np.abs(chance - 0.5)
        return scored, missing


def _average(scored: dict[str, Vector]) -> Vector:
    return np.asarray(np.mean(list(scored.values()), axis=0))
