"""BMAL: class probabilities that differ most from those of the neighbours.

AFTER (Li et al. 2024, equation 11), after Chakraborty et al.: the divergence of two utterances is

    D(x_i, x_j) = sum_k (p_ik - p_jk) log(p_ik / p_jk)

which is symmetric (Jeffreys). The paper prints it without the bracket around the difference, where
it would not be a divergence. The score of an utterance is its mean over the `NEIGHBOURS` nearest.
"""

from typing import Final

import numpy as np

from streamer.learners.clustering import squared_distances
from streamer.query.strategies.class_uncertainty import NO_CLASSES
from streamer.query.strategy import Knowledge, Ranking, Scores, by_chance
from streamer.types import Matrix

NEIGHBOURS: Final = 5
_LEAST: Final = 1e-12


class NeighbourDivergence(Ranking):
    """See the module."""

    name = "bmal"

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        chances = knowledge.classes(features)
        if chances is None or len(features) < 2:
            return by_chance(len(features), rng, NO_CLASSES)
        away = squared_distances(features, features)
        np.fill_diagonal(away, np.inf)
        near = np.argsort(away, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(features) - 1)]
        p = np.maximum(chances.probabilities, _LEAST)
        logs = np.log(p)
        apart = (p[:, np.newaxis] - p[near]) * (logs[:, np.newaxis] - logs[near])
        values = apart.sum(axis=2).mean(axis=1)
        return Scores(
            np.asarray(values),
            "the emotion probabilities differ from those of the nearest neighbours",
        )
