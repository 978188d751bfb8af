"""How much an answer would teach: query strategies behind one protocol.

A strategy scores the utterances of a buffer; `selection.choose` takes the highest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.core.affect import AffectLearner
from streamer.errors import UsageError
from streamer.messages import DIMENSIONS, Vector

ASKED_DIMENSIONS = ("valence", "arousal")


@dataclass(frozen=True, slots=True)
class Scores:
    """values: float64 [n], higher is asked first; reason: what they rest on, for people."""

    values: Vector
    reason: str


class Strategy(Protocol):
    """features: float64 [n, d], standard scores of the buffer's embeddings."""

    name: str

    def __call__(
        self, features: NDArray[np.float64], learner: AffectLearner, rng: np.random.Generator
    ) -> Scores: ...


class RandomChoice:
    """Every utterance alike: what any strategy has to beat."""

    name = "random"

    def __call__(
        self, features: NDArray[np.float64], learner: AffectLearner, rng: np.random.Generator
    ) -> Scores:
        return Scores(rng.random(len(features)), "at random")


class BinaryConfidence:
    """Ask where a binary classifier is least sure (Han et al. 2013, equations 1-3).

    Labels become -1 on [-1, 0] and +1 on (0, 1]; conf = 1/(1 + exp(A f + B)); the informativeness
    I = -|conf - 0.5|, in [-0.5, 0], is averaged over `dimensions`. A dimension that lacks a class
    is left out; when all lack one, the choice is random and says why.
    """

    name = "binary-confidence"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self.dimensions = tuple(dimensions)

    def __call__(
        self, features: NDArray[np.float64], learner: AffectLearner, rng: np.random.Generator
    ) -> Scores:
        scored, missing = self._by_dimension(features, learner)
        lacks = "; ".join(missing)
        if not scored:
            return Scores(rng.random(len(features)), f"at random: {lacks}")
        reason = f"least sure of {' and '.join(scored)}"
        return Scores(_average(scored), f"{reason} ({lacks})" if lacks else reason)

    def informativeness(
        self, features: NDArray[np.float64], learner: AffectLearner
    ) -> Vector | None:
        """I of [n, d], float64 [n], or None while every dimension lacks a class."""
        scored, _ = self._by_dimension(features, learner)
        return _average(scored) if scored else None

    def _by_dimension(
        self, features: NDArray[np.float64], learner: AffectLearner
    ) -> tuple[dict[str, Vector], list[str]]:
        scored, missing = {}, []
        for name in self.dimensions:
            chance = learner.confidence(name, features)
            if chance is None:
                scarce = learner.dimensions[name].scarce_class()
                missing.append(f"too few {scarce} {name} labels")
            else:
                scored[name] = -np.abs(chance - 0.5)
        return scored, missing


def _average(scored: dict[str, Vector]) -> Vector:
    return np.asarray(np.mean(list(scored.values()), axis=0))


STRATEGIES: dict[str, Callable[[Sequence[str]], Strategy]] = {
    BinaryConfidence.name: BinaryConfidence,
    RandomChoice.name: lambda _: RandomChoice(),
}


def make_strategy(name: str, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> Strategy:
    """The strategy of that name, asking about these dimensions.

    Raises UsageError naming those there are.
    """
    for wanted in dimensions:
        if wanted not in DIMENSIONS:
            raise UsageError(f"no dimension {wanted!r}; choose one of: {', '.join(DIMENSIONS)}")
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise UsageError(f"no query strategy {name!r}; choose one of: {known}")
    return STRATEGIES[name](dimensions)
