"""Random selection: the baseline (passive learning)."""

import numpy as np

from streamer.query.strategy import Knowledge, Ranking, Scores
from streamer.types import Matrix


class RandomChoice(Ranking):
    """Uniformly random scores."""

    name = "random"
    pointwise = True

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        return Scores(rng.random(len(features)), "at random", at_random=True)
