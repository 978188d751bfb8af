"""Feature maps that approximate an RBF kernel, for nonlinear regression with a linear learner.

Put before `BayesianRegression`, they give the curvature of an RBF support vector regression (as
Han et al. 2013 use) at the cost of a linear one. The kernel is k(x, y) = exp(-gamma |x - y|^2);
the map z is such that z(x)'z(y) is near it.
"""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.types import Matrix, Vector

# Directions of the landmarks' kernel below this part of the largest are rounding.
_LEAST_PART: Final = 1e-10


def rbf(some: Matrix, others: Matrix, gamma: float) -> Matrix:
    """The kernel of each pair of rows, float64 [n, m] in [0, 1] for [n, d] and [m, d].

    >>> rbf(np.array([[0.0], [1.0]]), np.array([[0.0]]), 1.0).round(3)
    array([[1.   ],
           [0.368]])
    """
    lengths = np.add.outer((some * some).sum(axis=1), (others * others).sum(axis=1))
    return np.asarray(np.exp(-gamma * np.maximum(lengths - 2.0 * (some @ others.T), 0.0)))


class FourierMap:
    """Random Fourier features (Rahimi and Recht 2007, algorithm 1): sqrt(2/m) cos(W'x + b).

    It does not depend on the data. The standard deviation of the kernel's error is at most
    1/sqrt(m).

    size: d. count: m features. gamma: of the kernel, > 0; 1/d suits standard scores.
    """

    def __init__(self, size: int, count: int, gamma: float, rng: np.random.Generator) -> None:
        self.directions: Matrix = np.sqrt(2.0 * gamma) * rng.standard_normal((size, count))
        self.phases: Vector = rng.uniform(0.0, 2.0 * np.pi, count)

    def __call__(self, inputs: Matrix) -> Matrix:
        """Features, [m] for [d] or [n, m] for [n, d]."""
        turned = np.cos(inputs @ self.directions + self.phases)
        return np.asarray(np.sqrt(2.0 / len(self.phases)) * turned)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {"directions": self.directions.copy(), "phases": self.phases.copy()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls.__new__(cls)
        restored.directions = np.array(arrays["directions"])
        restored.phases = np.array(arrays["phases"])
        return restored


class NystromMap:
    """The kernel through m landmarks (Williams and Seeger 2001): z(x) = L^-1/2 k(landmarks, x).

    Exact wherever x or y is a landmark; never more than the kernel of a point with itself.
    L is the landmarks' kernel; directions at the level of rounding are dropped.

    landmarks: float64 [m, d], such as `choose_landmarks` gives. gamma: of the kernel, > 0.
    """

    def __init__(self, landmarks: Matrix, gamma: float) -> None:
        self.landmarks: Matrix = np.array(landmarks, np.float64)
        self.gamma = float(gamma)
        values, vectors = np.linalg.eigh(rbf(self.landmarks, self.landmarks, self.gamma))
        sound = values > _LEAST_PART * values.max(initial=0.0)
        roots = np.where(sound, 1.0 / np.sqrt(np.where(sound, values, 1.0)), 0.0)
        self._whitening: Matrix = (vectors * roots) @ vectors.T

    def __call__(self, inputs: Matrix) -> Matrix:
        """Features, [m] for [d] or [n, m] for [n, d]."""
        features = rbf(np.atleast_2d(inputs), self.landmarks, self.gamma) @ self._whitening
        return features if np.ndim(inputs) > 1 else features[0]

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {"landmarks": self.landmarks.copy(), "gamma": np.array([self.gamma])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        return cls(arrays["landmarks"], float(arrays["gamma"][0]))


def choose_landmarks(
    seen: Matrix, count: int, gamma: float, rng: np.random.Generator
) -> tuple[Matrix, float]:
    """Up to `count` landmarks among the rows, float64 [n, d].

    Randomly pivoted Cholesky (Chen, Epperly, Tropp and Webber 2024, algorithm 2.1): the next one
    is drawn by how much of its kernel the ones before leave unexplained. Returns the landmarks
    and the share of the kernel's trace that they leave, in [0, 1]: the mean error of
    z(x)'z(x) over the rows seen.
    """
    left = np.ones(len(seen))
    factor = np.zeros((len(seen), min(count, len(seen))))
    chosen: list[int] = []
    for column in range(factor.shape[1]):
        if left.sum() <= _LEAST_PART * len(seen):
            break
        pivot = int(rng.choice(len(seen), p=left / left.sum()))
        near = rbf(seen, seen[pivot : pivot + 1], gamma)[:, 0]
        near -= factor[:, :column] @ factor[pivot, :column]
        factor[:, column] = near / np.sqrt(near[pivot])
        left = np.maximum(left - factor[:, column] ** 2, 0.0)
        left[pivot] = 0.0
        chosen.append(pivot)
    return seen[chosen], float(left.mean()) if len(seen) else 0.0
