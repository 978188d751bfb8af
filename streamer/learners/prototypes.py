"""Enroll an emotion from a few utterances, then recognize it (Li and Lee, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.types import Matrix, Vector, Verdict

UNCALIBRATED_THRESHOLD: Final = 0.7
# Directions at right angles, distance 1, have nothing in common: no threshold comes near that.
MAXIMUM_THRESHOLD: Final = 0.9
_SLACK: Final = 1.25
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Prototype:
    """mean: unit vector [e]; threshold: the cosine distance beyond which it is unknown;

    eer: equal error rate in [0, 1] of that threshold on the user's own utterances, or None while
    nothing else is enrolled to tell it from. count: enrolled utterances.
    """

    mean: Vector
    threshold: float
    eer: float | None
    count: int


def cosine_distance(vectors: Matrix, direction: Vector) -> Vector:
    """1 - cos, in [0, 2], of [n, e] vectors to one [e]; 1 where a vector is zero."""
    lengths = np.linalg.norm(vectors, axis=-1) * np.linalg.norm(direction)
    cosine = np.asarray(vectors @ direction / np.maximum(lengths, _TINY))
    return np.clip(1.0 - cosine, 0.0, 2.0)


def build_prototypes(enrolled: Mapping[str, Matrix], usual: Vector) -> dict[str, Prototype]:
    """Prototypes from each emotion's vectors, float64 [n, e], n >= 1.

    usual: [e], the profile's mean vector; it is taken off first, so that what all of a voice's
    utterances share does not count as likeness.
    """
    centred = {emotion: vectors - usual for emotion, vectors in enrolled.items()}
    prototypes = {}
    for emotion, vectors in centred.items():
        mean = _unit(vectors.mean(axis=0))
        others = [other for name, other in centred.items() if name != emotion]
        impostors = cosine_distance(np.concatenate(others), mean) if others else np.zeros(0)
        threshold, eer = calibrate(_left_out_distances(vectors), impostors)
        prototypes[emotion] = Prototype(mean, threshold, eer, len(vectors))
    return prototypes


def verify(vector: Vector, prototypes: Mapping[str, Prototype], usual: Vector) -> Verdict:
    """The nearest prototype by cosine distance, unknown (None) beyond that one's threshold."""
    if not prototypes:
        return Verdict(None, None, {})
    centred = (vector - usual)[np.newaxis]
    distances = {name: float(cosine_distance(centred, p.mean)[0]) for name, p in prototypes.items()}
    nearest = min(distances, key=distances.__getitem__)
    known = distances[nearest] <= prototypes[nearest].threshold
    return Verdict(nearest if known else None, distances[nearest], distances)


def calibrate(genuine: Vector, impostors: Vector) -> tuple[float, float | None]:
    """The threshold where false accepts and false rejects are nearest to equal, and their mean.

    genuine, impostors: distances [n] and [m]. Without impostors: a default, or a little beyond the
    farthest genuine one where that is more, and no error rate; without genuine ones (a single
    utterance): the default.

    >>> calibrate(np.array([0.1, 0.2, 0.3]), np.array([0.8, 0.9]))
    (0.55, 0.0)
    """
    if not len(genuine):
        return UNCALIBRATED_THRESHOLD, None
    if not len(impostors):
        farthest = max(genuine.max() * _SLACK, UNCALIBRATED_THRESHOLD)  # two cuts of one take: 0
        return float(min(farthest, MAXIMUM_THRESHOLD)), None
    marks = np.unique(np.concatenate([genuine, impostors]))
    candidates = np.concatenate([[marks[0] / 2], (marks[1:] + marks[:-1]) / 2, [marks[-1]]])
    # From the farthest to the nearest: of equally good thresholds, the widest.
    candidates = np.unique(np.minimum(candidates, MAXIMUM_THRESHOLD))[::-1]
    rejected = (genuine > candidates[:, np.newaxis]).mean(axis=1)
    accepted = (impostors <= candidates[:, np.newaxis]).mean(axis=1)
    best = int(np.argmin(np.abs(rejected - accepted) + 1e-3 * (rejected + accepted)))
    return float(round(candidates[best], 12)), float((rejected[best] + accepted[best]) / 2)


def _left_out_distances(vectors: Matrix) -> Vector:
    """Distance of each enrolled vector to the mean of the others: no vector vouches for itself."""
    if len(vectors) < 2:
        return np.zeros(0)
    others = vectors.sum(axis=0) - vectors
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(others, axis=1)
    cosine = np.einsum("ne,ne->n", vectors, others) / np.maximum(lengths, _TINY)
    return np.asarray(np.clip(1.0 - cosine, 0.0, 2.0))


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), _TINY))
