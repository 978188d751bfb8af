"""ALPS: cold start by clusters of surprisal embeddings (Yuan, Lin and Boyd-Graber 2020).

There, an utterance's surprisal embedding is a language model's loss on each of its words, scaled to
unit length; k-means finds as many clusters as there are questions, and of each the item nearest to
the centre is asked. Here no masked language model runs. The profile's running normalization
replaces it: each coordinate of an embedding is a standard score z for this voice and microphone,
whose surprisal -ln p(z) is z^2/2 plus a constant. As in ALPS, labels are not needed, and a typical
coordinate has a value near 0.
"""

import numpy as np

from streamer.learners.clustering import k_means, squared_distances
from streamer.query.strategy import Batch, Knowledge, Ranking, Scores
from streamer.types import Matrix

_TINY = 1e-12


def surprisal(features: Matrix) -> Matrix:
    """Surprisal embeddings, [n, d], rows of length 1 (or 0), of standard scores [n, d]."""
    loss = features**2 / 2.0
    return np.asarray(loss / np.maximum(np.linalg.norm(loss, axis=1, keepdims=True), _TINY))


class SurprisalStart(Ranking):
    """Score alone: the mean surprisal of the coordinates, in nats.

    centres: [k, d], of a pool that the features are a part of; None: those of the features.
    """

    name = "alps"

    def __init__(self, centres: Matrix | None = None) -> None:
        self._centres = centres

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        return Scores((features**2).mean(axis=1) / 2.0, "the most surprising for this voice")

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        scores = self(features, knowledge, rng)
        if count == 0:
            return Batch([], scores)
        points = surprisal(features)
        centres = self._centres
        if centres is None:
            centres = k_means(points, count, rng, restarts=1).centres
        away = squared_distances(points, centres)
        taken: list[int] = []
        for column in range(count):  # equal points share a centre: then the next nearest
            away[taken] = np.inf
            taken.append(int(np.argmin(away[:, column])))
        reason = "one of each kind of surprise for this voice"
        return Batch(taken, Scores(scores.values, reason))

    def fitted(
        self, sample: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> "SurprisalStart":
        """See `query.blocks.Fitted`: with the centres of the sample."""
        return SurprisalStart(k_means(surprisal(sample), count, rng, restarts=1).centres)
