"""DACS: a core-set of the sparse regions (Kim and Shin 2022, "In Defense of Core-set").

Their steps: estimate each item's density; split the items into groups by it; give the sparser
groups more of the questions; in each group choose a core-set, that is, greedy k-centres (Sener and
Savarese 2018). Here density is one over the mean distance to the `NEIGHBOURS` nearest, where they
hash; the groups are the three tertiles of it, where they look for natural breaks; and the groups'
shares are 1/2, 1/3 and 1/6 from sparse to dense, where they have a tuned threshold. Labels are used
only to avoid the neighbourhood of labelled utterances.
"""

from typing import Final

import numpy as np

from streamer.learners.clustering import squared_distances
from streamer.query.strategy import Batch, Knowledge, Ranking, Scores
from streamer.types import Matrix, Vector

NEIGHBOURS: Final = 5
SHARES: Final = (1 / 2, 1 / 3, 1 / 6)


def sparseness(away: Matrix) -> Vector:
    """The mean distance to the `NEIGHBOURS` nearest others, [n], from distances [n, n]."""
    count = min(NEIGHBOURS, len(away) - 1)
    if count < 1:
        return np.zeros(len(away))
    # The nearest of all is the point itself.
    nearest = np.partition(away, count, axis=1)[:, : count + 1]
    return np.asarray(nearest.sum(axis=1) / count)


class DensityStart(Ranking):
    """Score alone: the sparseness of where it lies."""

    name = "dacs"

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        away = np.sqrt(squared_distances(features, features))
        return Scores(sparseness(away), "in the sparse regions")

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        away = np.sqrt(squared_distances(features, features))
        values = sparseness(away)
        order = np.argsort(-values, kind="stable")
        groups = np.array_split(order, len(SHARES))
        places = knowledge.labelled().features
        near = np.full(len(features), np.inf)
        if len(places):
            near = np.sqrt(squared_distances(features, places).min(axis=1))
        taken: list[int] = []
        for group, number in zip(groups, _quotas(count, [len(g) for g in groups]), strict=True):
            for _ in range(number):
                left = group[~np.isin(group, taken)]
                # Before there is any to stay away from, the sparsest begins.
                best = int(left[0] if np.isinf(near[left]).all() else left[np.argmax(near[left])])
                taken.append(best)
                near = np.minimum(near, away[best])
        return Batch(taken, Scores(values, "a core set of the sparse regions"))


def _quotas(count: int, sizes: list[int]) -> list[int]:
    """Split `count` questions over groups of these sizes by `SHARES`; others take the excess."""
    quotas = [0] * len(sizes)
    for _ in range(count):
        behind = [
            (share * (sum(quotas) + 1) - quota, -index)
            for index, (share, quota) in enumerate(zip(SHARES, quotas, strict=True))
            if quota < sizes[index]
        ]
        quotas[-max(behind)[1]] += 1
    return quotas
