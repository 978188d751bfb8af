"""A strategy for the first questions, followed by another one."""

import numpy as np

from streamer.query.blocks import Fitted
from streamer.query.strategy import Batch, Knowledge, Scores, Strategy
from streamer.types import Matrix

JOIN = "+"


class ColdStart:
    """`start` for as long as `strategy` would choose at random, then `strategy`.

    AFTER (Li et al. 2024, section 3.4): k-means, then entropy.
    """

    def __init__(self, start: Strategy, strategy: Strategy) -> None:
        self.name = f"{start.name}{JOIN}{strategy.name}"
        self._start = start
        self._strategy = strategy

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        scores = self._strategy(features, knowledge, rng)
        return self._start(features, knowledge, rng) if scores.at_random else scores

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        batch = self._strategy.take(features, knowledge, count, rng)
        if batch.scores.at_random:
            return self._start.take(features, knowledge, count, rng)
        return batch

    def fitted(
        self, sample: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> "ColdStart":
        """See `query.blocks.Fitted`; parts that do not look at the whole stay as they are."""
        parts = [
            part.fitted(sample, knowledge, count, rng) if isinstance(part, Fitted) else part
            for part in (self._start, self._strategy)
        ]
        return ColdStart(*parts)
