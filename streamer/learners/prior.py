"""The hierarchical prior of an encoder: the population of voices, and how voices differ.

The model is hierarchical. A rating y of one voice's utterance with standard scores x is

    y = m(x) + u + x'w + e,   u ~ N(0, s2 a),   w ~ N(0, s2 b LL'/d),   e ~ N(0, s2)

m: what the population's ratings of x are on average; u: the offset of this voice; w: how its
weights differ from the population's; s2: the noise, inverse gamma with 4 degrees of freedom.
L = I - U diag(h) U' damps the directions U in which utterances of one voice and one emotion vary
most: variation there carries little information about emotion. L^2 is, up to a factor
and to the rank of U, the inverse of the shrunk within-class covariance.

Everything but u, w and s2, which a profile learns, is fitted to many voices by
`python -m streamer.training prior`, and ships beside the encoder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.softmax import softmax
from streamer.types import DIMENSIONS, Matrix, Vector

UNINFORMED_NOISE: Final = 0.5
# Ridge strength 0.2 on inputs of squared length 2: what a prior that says nothing of voices means.
UNINFORMED_VARIANCE: Final = 5.0

_COUNT: Final = len(DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Prior:
    """Population statistics of an encoder's outputs, and the hierarchical model of ratings.

    Parameters
    ----------
    embedding_mean, embedding_deviation : float64 [d]
        Mean of an embedding over voices, and its deviation within one voice, > 0.
    emotion_mean : float64 [e]
    weights : float64 [d, 3]; intercept : float64 [3]
        The linear part of m: valence, arousal, dominance from standard scores.
    noise : float64 [3]
        s above: what neither the population nor the voice explains, in units of a rating, > 0.
    class_weights : float64 [d, K]; class_intercept : float64 [K]; class_affect : float64 [K, 3]
        The other part of m: an expectation over K emotions, sum_k p_k(x) class_affect_k with
        p = softmax(x class_weights + class_intercept). K may be 0.
    offset_variance, weight_variance : float64 [3]
        a and b above, > 0.
    damped_directions : float64 [d, r]; damping : float64 [r]
        U above, orthonormal columns, and h in [0, 1). r may be 0.
    prototypes : float64 [P, e]; prototype_names : str [P]; prototype_thresholds : float64 [P]
        Unit vectors of the population's emotions, and the cosine distance beyond which an
        utterance is none of theirs. P may be 0.
    prototype_weight : float64 [1]
        k0: how many enrolled utterances a population's prototype counts for.
    """

    embedding_mean: Vector
    embedding_deviation: Vector
    emotion_mean: Vector
    weights: Matrix
    intercept: Vector
    noise: Vector
    class_weights: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    class_intercept: Vector = field(default_factory=lambda: np.zeros(0))
    class_affect: Matrix = field(default_factory=lambda: np.zeros((0, _COUNT)))
    offset_variance: Vector = field(default_factory=lambda: np.full(_COUNT, UNINFORMED_VARIANCE))
    weight_variance: Vector = field(default_factory=lambda: np.full(_COUNT, UNINFORMED_VARIANCE))
    damped_directions: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    damping: Vector = field(default_factory=lambda: np.zeros(0))
    prototypes: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    prototype_names: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, "<U1"))
    prototype_thresholds: Vector = field(default_factory=lambda: np.zeros(0))
    prototype_weight: Vector = field(default_factory=lambda: np.zeros(1))

    @classmethod
    def uninformed(cls, embedding_size: int, emotion_size: int) -> Self:
        """For an encoder without statistics: mean 0 on every dimension, with a large variance."""
        return cls(
            embedding_mean=np.zeros(embedding_size),
            embedding_deviation=np.ones(embedding_size),
            emotion_mean=np.zeros(emotion_size),
            weights=np.zeros((embedding_size, _COUNT)),
            intercept=np.zeros(_COUNT),
            noise=_noise_of(np.full(_COUNT, UNINFORMED_NOISE)),
        )

    @property
    def size(self) -> int:
        """d, the length of an embedding."""
        return len(self.embedding_mean)

    def expect(self, features: Matrix) -> tuple[Matrix, Matrix]:
        """m(x), and the expected sign of a rating; each [n, 3] for standard scores [n, d].

        Examples
        --------
        >>> Prior.uninformed(2, 2).expect(np.ones((1, 2)))[0].tolist()
        [[0.0, 0.0, 0.0]]
        """
        linear = features @ self.weights + self.intercept
        if not len(self.class_affect):
            return linear, linear
        chances = softmax(features @ self.class_weights + self.class_intercept)
        signs = np.where(self.class_affect > 0.0, 1.0, -1.0)
        return linear + chances @ self.class_affect, linear + chances @ signs

    def damped(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """x'L / sqrt(d), for standard scores [d] or [n, d]: the inputs of a voice's weights."""
        if len(self.damping):
            along = (features @ self.damped_directions) * self.damping
            features = features - along @ self.damped_directions.T
        return np.asarray(features / np.sqrt(self.size))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`, bit for bit.

        Also reads arrays of versions without the model of voices.

        An empty array may have lost its shape, as in JSON. Raises TypeError for arrays that are not
        a prior, and ValueError for invalid values.
        """
        given = dict(arrays)
        if is_outdated(given):
            given["noise"] = _noise_of(given["noise"])
        prior = cls(**given)
        shapes = prior._shapes(len(prior.embedding_mean), len(prior.emotion_mean))
        empty = {n: np.zeros(shapes[n]) for n, a in given.items() if not np.size(a) and n in shapes}
        if "prototype_names" in empty:
            empty["prototype_names"] = np.zeros(0, "<U1")
        return cls(**{**given, **empty})

    def fault(self, embedding_size: int, emotion_size: int) -> str | None:
        """What is wrong with these arrays for an encoder of such outputs, or None."""
        shapes = self._shapes(embedding_size, emotion_size)
        for name, array in self.to_arrays().items():
            if np.shape(array) != shapes[name]:
                return f"its {name} is {list(np.shape(array))}, not {list(shapes[name])}"
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return f"its {name} is not finite numbers"
        for name in ("embedding_deviation", "noise", "offset_variance", "weight_variance"):
            if (getattr(self, name) <= 0.0).any():
                return f"its {name} is not above 0"
        return None

    def _shapes(self, size: int, emotion_size: int) -> dict[str, tuple[int, ...]]:
        classes, damped, known = (
            np.size(one) for one in (self.class_intercept, self.damping, self.prototype_names)
        )
        return {
            "embedding_mean": (size,),
            "embedding_deviation": (size,),
            "emotion_mean": (emotion_size,),
            "weights": (size, _COUNT),
            "intercept": (_COUNT,),
            "noise": (_COUNT,),
            "class_weights": (size, classes) if classes else (0, 0),
            "class_intercept": (classes,),
            "class_affect": (classes, _COUNT),
            "offset_variance": (_COUNT,),
            "weight_variance": (_COUNT,),
            "damped_directions": (size, damped) if damped else (0, 0),
            "damping": (damped,),
            "prototypes": (known, emotion_size) if known else (0, 0),
            "prototype_names": (known,),
            "prototype_thresholds": (known,),
            "prototype_weight": (1,),
        }


def is_outdated(arrays: Mapping[str, Any]) -> bool:
    """Whether these arrays are of a version without the model of how voices differ."""
    return "weight_variance" not in arrays


def _noise_of(unexplained: Vector) -> Vector:
    """The noise left when offset and weights, both of `UNINFORMED_VARIANCE`, explain their part."""
    return np.asarray(unexplained / np.sqrt(1.0 + 2.0 * UNINFORMED_VARIANCE))
