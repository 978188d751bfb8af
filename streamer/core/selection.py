"""Which utterances of a full buffer are asked about."""

import math

import numpy as np

from streamer.messages import Vector


def ask_count(size: int, keep: float) -> int:
    """How many of `size` utterances to ask at a part `keep` in [0, 1]; halves are rounded up.

    >>> ask_count(10, 0.5), ask_count(7, 0.5), ask_count(3, 0.0)
    (5, 4, 0)
    """
    return math.floor(size * keep + 0.5)


def choose(values: Vector, keep: float) -> tuple[list[int], list[int]]:
    """Split a buffer by its scores, float64 [n], into indices to ask and indices to release.

    The larger half is asked (Han et al. 2013, table 2), highest first; of equal ones, the earlier.

    >>> choose(np.array([-0.4, -0.1, -0.2, -0.3]), 0.5)
    ([1, 2], [0, 3])
    """
    order = np.argsort(-values, kind="stable")
    count = ask_count(len(values), keep)
    return [int(i) for i in order[:count]], sorted(int(i) for i in order[count:])
