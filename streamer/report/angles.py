"""Enrolled emotions as angles: how far utterances and prototypes point from one another.

As Li and Lee (2023, IEEE Transactions on Affective Computing) show enrolment. A cosine distance d
is the angle arccos(1 - d).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.learners.cohesion import cohesion
from streamer.learners.prototypes import Prototype, cosine_distance
from streamer.types import Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """The angles around one prototype, in degrees, in [0, 180].

    own: of its utterances, each to the mean of the others, as in calibration. strangers: of the
    other emotions' utterances; prototypes: of their prototypes. threshold: beyond it an utterance
    is unknown; eer: see `Prototype`.
    """

    emotion: str
    own: Vector
    strangers: Vector
    prototypes: Mapping[str, float]
    threshold: float
    eer: float | None


def fans(
    enrolled: Mapping[str, Matrix], prototypes: Mapping[str, Prototype], usual: Vector
) -> list[Fan]:
    """One for each emotion, the one with the most utterances first.

    enrolled: vectors [n, e]; usual: [e], the profile's mean, which is subtracted from them.
    """
    names = sorted(prototypes, key=lambda name: (-prototypes[name].count, name))
    return [_fan(name, names, enrolled, prototypes, usual) for name in names]


def _fan(
    name: str,
    names: Sequence[str],
    enrolled: Mapping[str, Matrix],
    prototypes: Mapping[str, Prototype],
    usual: Vector,
) -> Fan:
    prototype = prototypes[name]
    others = [other for other in names if other != name]
    strangers = [enrolled[other] - usual for other in others]
    return Fan(
        emotion=name,
        own=degrees(cohesion(enrolled[name], usual).distances),
        strangers=degrees(
            cosine_distance(np.concatenate(strangers), prototype.mean) if others else np.zeros(0)
        ),
        prototypes={
            other: float(degrees(cosine_distance(prototypes[other].mean[None], prototype.mean))[0])
            for other in others
        },
        threshold=float(degrees(np.array([prototype.threshold]))[0]),
        eer=prototype.eer,
    )


def degrees(distances: Vector) -> Vector:
    """Of cosine distances.

    >>> degrees(np.array([0.0, 1.0, 2.0])).tolist()
    [0.0, 90.0, 180.0]
    """
    return np.asarray(np.degrees(np.arccos(np.clip(1.0 - distances, -1.0, 1.0))))
