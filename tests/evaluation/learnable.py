"""A made corpus that can be learned: dimensions and emotions that follow from the features."""

import numpy as np

from streamer.evaluation.dataset import Dataset
from streamer.evaluation.run import PoolAndTest


def learnable(count: int = 400, size: int = 5, noise: float = 0.1) -> tuple[Dataset, PoolAndTest]:
    """Utterances of which the first three quarters are the pool and the rest is the test."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(count, size))
    weights = rng.normal(size=(size, 3)) / np.sqrt(size)
    affect = np.clip(0.5 * features @ weights + noise * rng.normal(size=(count, 3)), -1, 1)
    emotions = ["happy" if value > 0 else "sad" for value in affect[:, 0]]
    pool = np.arange(3 * count // 4)
    return Dataset(features, affect, emotions), PoolAndTest(pool, np.arange(len(pool), count))
