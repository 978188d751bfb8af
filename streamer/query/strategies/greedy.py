"""Greedy batches: the values are updated after each selected utterance."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.query.strategy import Batch, Knowledge, Scores
from streamer.types import Matrix, Vector


@dataclass(frozen=True, slots=True)
class Steps:
    """values:

    float64 [n], at the first step; after: all values after one more index was selected.
    """

    values: Vector
    reason: str
    after: Callable[[int], Vector]


class Greedy(ABC):
    """A strategy that selects the highest value, then updates all values.

    Of equal ones it takes the earlier. The score of a selected utterance is its value at selection.
    """

    name: str

    @abstractmethod
    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        """The first step; random `Scores` where the required information is missing."""

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        first = self.begin(features, knowledge, rng)
        return first if isinstance(first, Scores) else Scores(first.values, first.reason)

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        first = self.begin(features, knowledge, rng)
        if isinstance(first, Scores):
            return Batch.of(first, count)
        values = first.values.copy()
        final = values.copy()
        indices: list[int] = []
        for _ in range(count):
            values[indices] = -np.inf
            best = int(np.argmax(values))
            final[best] = values[best]
            indices.append(best)
            if len(indices) < count:
                values = np.array(first.after(best))
        left = np.ones(len(values), bool)
        left[indices] = False
        final[left] = values[left]
        return Batch(indices, Scores(final, first.reason))
