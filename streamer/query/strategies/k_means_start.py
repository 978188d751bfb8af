"""Cold start: utterances nearest to the k-means centres (Li et al. 2024, "AFTER", section 3.4).

k is the elbow of 1 to 8 clusters of the embeddings; the utterance nearest to each centre is taken,
then the next nearest to each in turn. It uses neither labels nor learners.
"""

import numpy as np

from streamer.learners.clustering import elbow_clusters, squared_distances
from streamer.query.strategy import Batch, Knowledge, Ranking, Scores
from streamer.types import Matrix


class KMeansStart(Ranking):
    """Score alone: minus the distance to the own centre."""

    name = "k-means"

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        clusters = elbow_clusters(features, rng)
        away = np.sqrt(squared_distances(features, clusters.centres).min(axis=1))
        return Scores(-away, f"nearest to the middle of {len(clusters.centres)} clusters")

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        clusters = elbow_clusters(features, rng)
        away = np.sqrt(squared_distances(features, clusters.centres))
        scores = Scores(-away.min(axis=1), f"some of each of {len(clusters.centres)} clusters")
        return Batch(in_turn(away, count), scores)


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
