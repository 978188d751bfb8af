"""AFTER's initial selections and query strategies (Li et al. 2024, equations 4 to 11).

Initial selections use features only, or the class probabilities of an untrained classifier;
strategies use the probabilities P of the previous round's model. Everything is numpy; of equal
scores the earlier clip is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from streamer.learners.clustering import elbow_clusters, k_means, squared_distances
from streamer.learners.entropy import entropy, least_confidence, margin

PART = 0.01
NEIGHBOURS = 10
_DRAWS = 400

Rank = Callable[[np.ndarray], np.ndarray]

UNCERTAINTIES: dict[str, Rank] = {
    "entropy": entropy,  # equation 4
    # Equation 5 as printed, sum_j (1 - P_j), is the constant c - 1; what is meant is 1 - max P.
    "least-confidence": least_confidence,
    "margin": margin,  # equation 6, turned so that the highest is asked
}
STRATEGIES = (*UNCERTAINTIES, "alps", "batchbald", "random")
STARTS = ("k-means", "random", "dacs", "bmal")


def begin(
    start: str, features: np.ndarray, chances: np.ndarray, count: int, rng: np.random.Generator
) -> list[int]:
    """The first `count` clips. features [n, d]; chances [n, K] of an untrained model.

    Raises ValueError for an unknown start.
    """
    if start == "random":
        return [int(i) for i in rng.permutation(len(features))[:count]]
    if start == "k-means":
        return k_means_start(features, count, rng)
    if start == "dacs":
        return _highest(-density(features), count)
    if start == "bmal":
        return _highest(-neighbour_divergence(features, chances), count)
    raise ValueError(f"start {start!r}: choose one of {', '.join(STARTS)}")


def k_means_start(features: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """Clips nearest to the centres of k-means with the elbow's k, each cluster in turn."""
    clusters = elbow_clusters(features, rng)
    away = squared_distances(features, clusters.centres)
    own = clusters.nearest
    queues = [
        np.flatnonzero(own == k)[np.argsort(away[own == k, k], kind="stable")].tolist()
        for k in range(len(clusters.centres))
    ]
    taken: list[int] = []
    while len(taken) < min(count, len(features)):
        for queue in queues:
            if queue and len(taken) < count:
                taken.append(int(queue.pop(0)))
    return taken


def density(features: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Mean squared distance to the k nearest others (equation 10), [n]; small in dense regions."""
    away = squared_distances(features, features)
    np.fill_diagonal(away, np.inf)
    nearest = np.sort(away, axis=1)[:, : min(neighbours, len(features) - 1)]
    return nearest.mean(axis=1)


def neighbour_divergence(
    features: np.ndarray, chances: np.ndarray, neighbours: int = NEIGHBOURS
) -> np.ndarray:
    """Mean Kullback-Leibler divergence of the neighbours' class chances from the own (eq. 11), [n].

    The paper gives the formula and takes the top 1 % of the agreement, the smallest divergence.
    """
    away = squared_distances(features, features)
    np.fill_diagonal(away, np.inf)
    near = np.argsort(away, axis=1, kind="stable")[:, : min(neighbours, len(features) - 1)]
    logs = np.log(np.maximum(chances, 1e-12))
    own = (chances * logs).sum(axis=1, keepdims=True)
    return (own - np.einsum("nk,nmk->nm", chances, logs[near])).mean(axis=1)


def choose(
    strategy: str,
    chances: np.ndarray,
    features: np.ndarray,
    count: int,
    rng: np.random.Generator,
    drawn: np.ndarray | None = None,
) -> list[int]:
    """`count` of the pool. chances [n, K]; features [n, d] of the model's context; drawn: see

    `batch_bald`, needed by that strategy alone. Raises ValueError for another strategy.
    """
    count = min(count, len(chances))
    if strategy in UNCERTAINTIES:
        return _highest(UNCERTAINTIES[strategy](chances), count)
    if strategy == "random":
        return [int(i) for i in rng.permutation(len(chances))[:count]]
    if strategy == "alps":
        return nearest_to_centres(features, count, rng)
    if strategy == "batchbald" and drawn is not None:
        return batch_bald(drawn, count, rng)
    raise ValueError(f"strategy {strategy!r}: choose one of {', '.join(STRATEGIES)}")


def nearest_to_centres(features: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """ALPs (equation 7): k-means with as many clusters as clips are wanted, the nearest of each."""
    away = squared_distances(features, k_means(features, count, rng, restarts=1).centres)
    taken: list[int] = []
    for k in range(count):
        order = np.argsort(away[:, k], kind="stable")
        taken.append(int(next(i for i in order if int(i) not in taken)))
    return taken


def batch_bald(drawn: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """BatchBALD (equation 8, Kirsch et al. 2019): I(y_1..b; w), greedily.

    drawn: class chances [T, n, K] under T samples of the weights. The joint entropy is exact while
    K^b is at most a few hundred, then over sampled configurations of the labels taken so far.
    """
    samples, clips, classes = drawn.shape
    logs = np.log(np.maximum(drawn, 1e-12))
    conditional = -(drawn * logs).sum(axis=2).mean(axis=0)  # E_w H(y|w), [n]
    joint = np.ones((samples, 1))  # p(configuration | w), [T, M]
    weights = np.ones(1)  # how many configurations each stands for
    taken: list[int] = []
    left = np.ones(clips, bool)
    spent = 0.0
    for _ in range(count):
        # p(configuration, y_i) for every clip: mean over w of the product, [M, n, K].
        both = np.einsum("tm,tnk->mnk", joint, drawn) / samples
        entropies = -np.einsum("m,mnk->n", weights, both * np.log(np.maximum(both, 1e-300)))
        gain = np.where(left, entropies - conditional - spent, -np.inf)
        best = int(np.argmax(gain))
        taken.append(best)
        left[best] = False
        spent += float(conditional[best])
        joint = (joint[:, :, None] * drawn[:, best][:, None, :]).reshape(samples, -1)
        weights = np.repeat(weights, classes)
        if joint.shape[1] > _DRAWS:
            mean = joint.mean(axis=0)
            share = mean * weights / (mean * weights).sum()
            kept = rng.choice(joint.shape[1], _DRAWS, p=share)
            # Importance weights: drawn by p, so each stands for 1/(draws p) of the sum.
            weights = weights[kept] / (share[kept] * _DRAWS)
            joint = joint[:, kept]
    return taken


def _highest(values: np.ndarray, count: int) -> list[int]:
    return [int(i) for i in np.argsort(-values, kind="stable")[:count]]
