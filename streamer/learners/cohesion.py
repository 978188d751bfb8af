"""Cohesion of an emotion's utterances, and its error rates in verification."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.learners.prototypes import cosine_distance
from streamer.types import Matrix, Vector

# An utterance stands out beyond the median by this many median deviations, and by this distance.
_DEVIATIONS: Final = 3.0
_LEAST_EXCESS: Final = 0.15
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Cohesion:
    """distances: [n], in [0, 2], of each utterance to the mean of the others; apart.

    The indices of the outliers. cohesion: the mean cosine, clipped to [0, 1]; None for
    fewer than two utterances.
    """

    distances: Vector
    apart: list[int]
    cohesion: float | None


def cohesion(vectors: Matrix, usual: Vector) -> Cohesion:
    """Of [n, e] vectors of one emotion; usual: [e], the profile's mean, taken off first.

    Outliers by the median absolute deviation, for three utterances or more (Iglewicz and Hoaglin
    1993, with a floor, since a handful of distances may lie very close together).

    >>> cohesion(np.array([[1.0, 0.1], [1.0, -0.1], [1.0, 0.0], [-1.0, 0.2]]), np.zeros(2)).apart
    [3]
    """
    centred = vectors - usual
    if len(centred) < 2:
        return Cohesion(np.zeros(len(centred)), [], None)
    total = centred.sum(axis=0)
    distances = np.array(
        [cosine_distance(own[np.newaxis], total - own)[0] for own in centred], np.float64
    )
    apart: list[int] = []
    if len(centred) >= _FEWEST:
        middle = float(np.median(distances))
        deviation = float(np.median(np.abs(distances - middle)))
        limit = middle + max(_DEVIATIONS * deviation, _LEAST_EXCESS)
        apart = [int(at) for at in np.flatnonzero(distances > limit)]
    agreement = float(np.clip(1.0 - distances.mean(), 0.0, 1.0))
    return Cohesion(distances, apart, agreement)


def error_rates(
    own: Matrix, others: Sequence[Matrix], mean: Vector, threshold: float, usual: Vector
) -> tuple[float | None, float | None]:
    """False accepts among the others' vectors and false rejects among the own, in [0, 1].

    Each own vector is compared with the mean of the other own ones, as in calibration; None
    where there is nothing to count. mean: the prototype's, [e]; threshold: a cosine distance.
    """
    strangers = np.concatenate(list(others)) - usual if others else np.zeros((0, len(mean)))
    accepted = cosine_distance(strangers, mean) <= threshold
    rejected = cohesion(own, usual).distances > threshold
    return (
        float(accepted.mean()) if len(accepted) else None,
        float(rejected.mean()) if len(own) > 1 else None,
    )
