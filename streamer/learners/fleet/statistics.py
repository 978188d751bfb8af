"""The sufficient statistics of one voice: sums and counts, in relation to an encoder's prior.

With x the standard scores of an utterance and m the prior's expectation (see `learners.prior`), an
answer y leaves the residual r = y - m(x). The sums of zz', zr and rr over the answers, z = [x, 1],
are all that a linear model of r can learn from them (Bishop 2006, section 3.1.1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.affective_norms import NAMES, common_name
from streamer.learners.normalization import LIMIT, PRIOR_WEIGHT
from streamer.learners.prior import Prior
from streamer.types import DIMENSIONS, Matrix, Vector

_TINY: Final = 1e-12
_COUNT: Final = len(DIMENSIONS)


@dataclass(frozen=True, slots=True, eq=False)
class VoiceData:
    """What a device holds of one voice.

    Parameters
    ----------
    embeddings : float64 [n, d]
    emotion_vectors : float64 [n, e]
    affect : float64 [n, 3]
        Valence, arousal and dominance in [-1, 1]; nan where nobody answered.
    emotions : str or None, [n]
        The emotion that an utterance was named or enrolled as.
    enrolled : mapping of str to float64 [m, e]
        Vectors of recordings that were enrolled without being utterances of the profile.
    """

    embeddings: Matrix
    emotion_vectors: Matrix
    affect: Matrix
    emotions: Sequence[str | None]
    enrolled: Mapping[str, Matrix]


@dataclass(frozen=True, slots=True, eq=False)
class VoiceStatistics:
    """Sums over one voice's utterances; those of embeddings in the prior's standard units.

    Parameters
    ----------
    utterances : float64 [1]
    embedding_sum, embedding_squares : float64 [d]
        Of (embedding - mean)/deviation of the prior, and of its square.
    emotion_sum : float64 [e]
        Of the emotion vectors.
    labels : float64 [3]
        How many answers there are about valence, arousal and dominance.
    inputs : float64 [3, d + 1, d + 1]; targets : float64 [3, d + 1]; squares : float64 [3]
        Sums of zz', zr and rr for each dimension.
    prototype_sums : float64 [K, e]; prototype_counts : float64 [K]
        Of centred emotion vectors at unit length, for each name of `names_of` the prior.
    """

    utterances: Vector
    embedding_sum: Vector
    embedding_squares: Vector
    emotion_sum: Vector
    labels: Vector
    inputs: NDArray[np.float64]
    targets: Matrix
    squares: Vector
    prototype_sums: Matrix
    prototype_counts: Vector

    @classmethod
    def of(cls, data: VoiceData, prior: Prior) -> Self:
        """The statistics of one voice; `prior` is the one that all voices of a fleet share."""
        units = in_units(data.embeddings, prior)
        total = data.emotion_vectors.sum(axis=0)
        usual = usual_vector(float(len(units)), total, prior)
        sums, counts = prototype_sums(data, prior, usual)
        scores = standard_scores(data.embeddings, prior)
        residuals = data.affect - prior.expect(scores)[0]
        extended = np.concatenate([scores, np.ones((len(scores), 1))], axis=1)
        inputs = np.zeros((_COUNT, prior.size + 1, prior.size + 1))
        targets, squares = np.zeros((_COUNT, prior.size + 1)), np.zeros(_COUNT)
        answered = np.isfinite(residuals)
        for column in range(_COUNT):
            rows = extended[answered[:, column]]
            rest = residuals[answered[:, column], column]
            inputs[column], targets[column] = rows.T @ rows, rows.T @ rest
            squares[column] = rest @ rest
        return cls(
            utterances=np.array([float(len(units))]),
            embedding_sum=units.sum(axis=0),
            embedding_squares=(units**2).sum(axis=0),
            emotion_sum=total,
            labels=answered.sum(axis=0).astype(np.float64),
            inputs=inputs,
            targets=targets,
            squares=squares,
            prototype_sums=sums,
            prototype_counts=counts,
        )

    def __add__(self, other: "VoiceStatistics") -> "VoiceStatistics":
        """The statistics of two parts together, as if they were one voice."""
        return VoiceStatistics(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def fault(self, prior: Prior) -> str | None:
        """What makes these arrays no statistics of the prior's encoder, or None."""
        size, emotions = prior.size, len(prior.emotion_mean)
        names = len(names_of(prior))
        shapes = {
            "utterances": (1,), "embedding_sum": (size,), "embedding_squares": (size,),
            "emotion_sum": (emotions,), "labels": (_COUNT,),
            "inputs": (_COUNT, size + 1, size + 1), "targets": (_COUNT, size + 1),
            "squares": (_COUNT,), "prototype_sums": (names, emotions), "prototype_counts": (names,),
        }  # fmt: skip
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                return f"its {name} is {list(array.shape)}, not {list(shape)}"
            if not np.isfinite(array).all():
                return f"its {name} is not finite numbers"
        return None


def names_of(prior: Prior) -> tuple[str, ...]:
    """The emotions that are summed: the prior's, and those with an affective norm.

    Names that people made up may tell who they are, and are never among them.
    """
    own = [str(name) for name in prior.prototype_names]
    known = {common_name(name) for name in own}
    return (*own, *(name for name in NAMES if name not in known))


def in_units(embeddings: Matrix, prior: Prior) -> Matrix:
    """(embedding - mean)/deviation of the prior, [n, d]."""
    return np.asarray((embeddings - prior.embedding_mean) / prior.embedding_deviation)


def standard_scores(embeddings: Matrix, prior: Prior) -> Matrix:
    """Standard scores by voice, [n, d], the population counting for `PRIOR_WEIGHT` utterances."""
    units = in_units(embeddings, prior)
    mean, variance = voice_moments(
        float(len(units)), units.sum(axis=0), (units**2).sum(axis=0)
    )  # fmt: skip
    return np.asarray(np.clip((units - mean) / np.sqrt(variance), -LIMIT, LIMIT))


def voice_moments(count: float, total: Vector, squares: Vector) -> tuple[Vector, Vector]:
    """A voice's mean and variance from sums, [d] each, with the prior's as pseudo-observations.

    In the prior's units, in which the population has mean 0 and variance 1.
    """
    weight = PRIOR_WEIGHT + count
    mean = total / weight
    return mean, np.maximum((PRIOR_WEIGHT + squares) / weight - mean**2, _TINY)


def usual_vector(count: float, total: Vector, prior: Prior) -> Vector:
    """A voice's usual emotion vector, [e], from the sum of `count` of them and the prior's."""
    return np.asarray((PRIOR_WEIGHT * prior.emotion_mean + total) / (PRIOR_WEIGHT + count))


def unit(vectors: Matrix) -> Matrix:
    """Vectors at unit length, [n, e]."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY))


def prototype_sums(data: VoiceData, prior: Prior, usual: Vector) -> tuple[Matrix, Vector]:
    """Sums [K, e] of centred emotion vectors at unit length, and their counts [K], by name."""
    names = names_of(prior)
    place = {common_name(name): k for k, name in enumerate(names)}
    sums, counts = np.zeros((len(names), len(usual))), np.zeros(len(names))
    # An utterance is named once, as there is one emotion for each.
    named = [(name, row) for name, row in zip(data.emotions, data.emotion_vectors, strict=True)]
    named += [(name, row) for name, rows in data.enrolled.items() for row in rows]
    for name, vector in named:
        index = None if name is None else place.get(common_name(name))
        if index is not None:
            sums[index] += unit(vector - usual)
            counts[index] += 1.0
    return sums, counts
