"""Cold start: utterances nearest to the k-means centres (Li et al. 2024, "AFTER", section 3.4).

k is the elbow of 1 to 8 clusters of the embeddings; the utterance nearest to each centre is taken,
then the next nearest to each in turn. It uses neither labels nor learners.
"""

import numpy as np

from streamer.learners.clustering import elbow_clusters, squared_distances
from streamer.query.strategy import Batch, Knowledge, Ranking, Scores
from streamer.types import Matrix


class KMeansStart(Ranking):
    """Score alone: minus the distance to the own centre.

    centres: [k, d], of a pool that the features are a part of; None: those of the features.
    """

    name = "k-means"

    def __init__(self, centres: Matrix | None = None) -> None:
        self._centres = centres

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        centres = self._found(features, rng)
        away = np.sqrt(squared_distances(features, centres).min(axis=1))
        return Scores(-away, f"nearest to the middle of {len(centres)} clusters")

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        centres = self._found(features, rng)
        away = np.sqrt(squared_distances(features, centres))
        scores = Scores(-away.min(axis=1), f"some of each of {len(centres)} clusters")
        return Batch(in_turn(away, count), scores)

    def fitted(
        self, sample: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> "KMeansStart":
        """See `query.blocks.Fitted`: with the centres of the sample."""
        return KMeansStart(elbow_clusters(sample, rng).centres)

    def _found(self, features: Matrix, rng: np.random.Generator) -> Matrix:
        return elbow_clusters(features, rng).centres if self._centres is None else self._centres


def in_turn(away: Matrix, count: int) -> list[int]:
    """`count` of n points by their distances to k centres, [n, k].

    Each centre takes its nearest remaining point, in turn.

    >>> in_turn(np.array([[0.1, 9.0], [0.2, 8.0], [7.0, 0.5]]), 3)
    [0, 2, 1]
    """
    taken: list[int] = []
    left = away.copy()
    for turn in range(count):
        nearest = int(np.argmin(left[:, turn % left.shape[1]]))
        taken.append(nearest)
        left[nearest] = np.inf
    return taken
