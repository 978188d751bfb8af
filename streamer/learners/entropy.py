"""Uncertainty of class probabilities (Settles 2009, section 3.1)."""

from typing import Final

import numpy as np

from streamer.types import Matrix, Vector

_TINY: Final = 1e-300


def entropy(probabilities: Matrix) -> Vector:
    """H = -sum_k p_k ln p_k of the last axis of [..., K], in [0, ln K] nats.

    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.693, 0.0]
    """
    logarithm = np.log(np.maximum(probabilities, _TINY))
    return np.asarray(np.maximum(-(probabilities * logarithm).sum(axis=-1), 0.0))


def least_confidence(probabilities: Matrix) -> Vector:
    """1 - max_k p_k of [n, K], in [0, 1 - 1/K]."""
    return np.asarray(1.0 - probabilities.max(axis=-1))


def margin(probabilities: Matrix) -> Vector:
    """The second largest less the largest of [n, K], K >= 2, in [-1, 0]."""
    largest = np.partition(probabilities, -2, axis=-1)
    return np.asarray(largest[..., -2] - largest[..., -1])
