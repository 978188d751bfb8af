"""Online Bayesian linear regression."""

import math
from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.low_rank import LowRank
from streamer.types import Matrix, Vector

NOISE_WEIGHT: Final = 4.0


class BayesianRegression:
    """Ridge regression towards a prior mean, with exact rank-one updates of the posterior.

    Model, for k targets that share their inputs (Bishop 2006, sections 3.3 and 2.3.6):
    y = W'x + e, e ~ N(0, s2), each column of W ~ N(W0, s2/strength I), s2 ~ inverse gamma whose
    mean is `noise`**2, worth `NOISE_WEIGHT` observations.

    After any labels the mean equals batch ridge,
    W = W0 + (X'X + strength I)^-1 X'(Y - X W0), to rounding; an update costs O(d^2), most of it
    one product of the covariance with the inputs (see `LowRank`).

    weights: float64 [d, k], the prior mean W0. strength: > 0. noise: float64 [k], > 0.
    """

    def __init__(self, weights: Matrix, strength: float, noise: Vector) -> None:
        size, targets = weights.shape
        if np.shape(noise) != (targets,):
            raise ValueError(f"noise has shape {np.shape(noise)}, one value a target: ({targets},)")
        self.strength = float(strength)
        # By columns, which is how they are updated.
        self.weights: Matrix = np.array(weights, np.float64, order="F")
        self.residual: Vector = NOISE_WEIGHT * np.array(noise, np.float64) ** 2
        self.count = 0
        self._folded = LowRank(np.eye(size) / strength)

    @classmethod
    def from_posterior(
        cls,
        *,
        strength: float,
        noise: Vector,
        weights: Matrix,
        covariance: Matrix,
        residual: Vector,
        count: int,
    ) -> Self:
        """A regression with a given posterior, from `count` labels."""
        learned = cls(weights, strength, noise)
        learned.residual, learned.count = residual, count
        learned._folded = LowRank(covariance)
        return learned

    @property
    def covariance(self) -> Matrix:
        """Of each column of the weights, in units of the noise's variance: float64 [d, d]."""
        return self._folded.matrix()

    def predict(self, inputs: Matrix) -> Matrix:
        """Means, [k] for [d] or [n, k] for [n, d]."""
        return np.asarray(inputs @ self.weights)

    def deviation(self, inputs: Matrix) -> Matrix:
        """Standard deviation of a new observation, > 0: noise and uncertainty of W.

        [k] for [d] or [n, k] for [n, d].
        """
        spread = 1.0 + self._folded.quadratic(inputs)
        return np.sqrt(spread[..., np.newaxis] * self._noise_variance)

    def learn(self, inputs: Vector, targets: Vector, limit: float = np.inf) -> Vector:
        """Update the posterior with one observation, [d] and [k] (Sherman and Morrison 1950).

        limit: an error of more than so many deviations is learned as if it were just that many
        (Huber's psi, as in the robust Kalman filter of Masreliez and Martin 1977), so that one
        wrong target moves the weights only so far.

        Returns the deviation, [k], with which it was expected: that of `deviation` before it.
        """
        row = self._folded.times(inputs)
        doubt = max(float(inputs @ row), 0.0)
        expected = np.sqrt((1.0 + doubt) * self._noise_variance)
        share = 1.0 / (1.0 + doubt)
        error = targets - inputs @ self.weights
        if limit < np.inf:
            most = limit * expected
            error = np.minimum(np.maximum(error, -most), most)
        columns = self.weights.T
        columns += np.multiply.outer(share * error, row)
        self.residual = self.residual + error * error * share
        self.count += 1
        # P - gg'/(1 + x'g) with g = Px
        row *= math.sqrt(share)
        if self._folded.subtract(row, inputs, left=doubt / (1.0 + doubt)):
            self._folded.fold()
        return np.asarray(expected)

    def widen(self, extra: int) -> None:
        """Add `extra` inputs, with prior weights 0 and the prior's strength."""
        self._folded.fold()
        size, targets = self.weights.shape
        covariance = np.eye(size + extra) / self.strength
        covariance[:size, :size] = self._folded.base
        self._folded = LowRank(covariance)
        widened = np.concatenate([self.weights, np.zeros((extra, targets))])
        self.weights = np.asfortranarray(widened)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "weights": self.weights.copy(),
            "residual": self.residual.copy(),
            "count": np.array([self.count], np.float64),
            "settings": np.array([self.strength]),
            **self._folded.to_arrays(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls.__new__(cls)
        restored.strength = float(arrays["settings"][0])
        restored.weights = np.array(arrays["weights"], order="F")
        restored.residual = np.array(arrays["residual"])
        restored.count = int(arrays["count"][0])
        restored._folded = LowRank.from_arrays(arrays)
        return restored

    @property
    def _noise_variance(self) -> Vector:
        """Posterior mean of s2, [k]."""
        return self.residual / (NOISE_WEIGHT + self.count)
