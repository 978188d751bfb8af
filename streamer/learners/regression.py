"""Bayesian linear regression, one label at a time."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.low_rank import LowRank
from streamer.types import Matrix, Vector

NOISE_WEIGHT: Final = 4.0
LEAST_FORGETTING: Final = 0.9
# Beyond this, rounding in the rest would be seen in the eighth decimal.
_LEAST_REST: Final = 1e-6


class BayesianRegression:
    """Ridge regression towards a prior mean, with the posterior kept exactly by rank-one updates.

    Model, for k targets that share their inputs (Bishop 2006, sections 3.3 and 2.3.6):
    y = W'x + e, e ~ N(0, s2), each column of W ~ N(W0, s2/strength I), s2 ~ inverse gamma whose
    mean is `noise`**2, worth `NOISE_WEIGHT` observations.

    After any labels the mean equals batch ridge,
    W = W0 + (X'X + strength I)^-1 X'(Y - X W0), to rounding; an update costs O(d^2), most of it
    one product of the covariance with the inputs (see `LowRank`).

    With `forgetting` below 1 a label's weight is multiplied by it at each later label, so about
    1/(1 - forgetting) labels count. The prior fades with them, and is made whole again at every
    folding of the covariance: unlike in plain forgetting, nothing that is not asked about for
    long becomes ever more doubtful.

    weights: float64 [d, k], the prior mean W0. strength: > 0. noise: float64 [k], > 0.
    forgetting: in [LEAST_FORGETTING, 1]; UsageError for others.
    """

    def __init__(
        self, weights: Matrix, strength: float, noise: Vector, forgetting: float = 1.0
    ) -> None:
        size, targets = weights.shape
        if np.shape(noise) != (targets,):
            raise ValueError(f"noise has shape {np.shape(noise)}, one value a target: ({targets},)")
        if not LEAST_FORGETTING <= forgetting <= 1.0:
            raise UsageError(
                f"forgetting = {forgetting}: give {LEAST_FORGETTING} to 1, where 1 forgets nothing"
            )
        self.strength, self.forgetting = float(strength), float(forgetting)
        self.prior: Matrix = np.array(weights, np.float64)
        self.weights: Matrix = self.prior.copy()
        self.residual: Vector = NOISE_WEIGHT * np.array(noise, np.float64) ** 2
        self.count = 0
        self._prior_residual = self.residual.copy()
        self._folded = LowRank(np.eye(size) / strength)

    @classmethod
    def from_posterior(
        cls,
        *,
        prior: Matrix,
        strength: float,
        noise: Vector,
        weights: Matrix,
        covariance: Matrix,
        residual: Vector,
        count: int,
    ) -> Self:
        """One that has learned already, all at once: `count` labels led to this posterior."""
        learned = cls(prior, strength, noise)
        learned.weights, learned.residual, learned.count = weights, residual, count
        learned._folded = LowRank(covariance)
        return learned

    @property
    def covariance(self) -> Matrix:
        """Of each column of the weights, in units of the noise's variance: float64 [d, d]."""
        return self._scale * self._folded.matrix()

    def predict(self, inputs: Matrix) -> Matrix:
        """Means, [k] for [d] or [n, k] for [n, d]."""
        return np.asarray(inputs @ self.weights)

    def deviation(self, inputs: Matrix) -> Matrix:
        """Standard deviation of a new observation, > 0: noise and doubt about W.

        [k] for [d] or [n, k] for [n, d].
        """
        spread = 1.0 + self._scale * self._folded.quadratic(inputs)
        return np.sqrt(np.multiply.outer(spread, self._noise_variance))

    def learn(self, inputs: Vector, targets: Vector) -> Vector:
        """Take one observation, [d] and [k], into the posterior (Sherman and Morrison 1950).

        Returns the deviation, [k], with which it was expected: that of `deviation` before it.
        """
        keep, scale = self.forgetting, self._scale
        row = self._folded.times(inputs)
        form = max(float(inputs @ row), 0.0)
        doubt = scale * form
        expected = np.sqrt((1.0 + doubt) * self._noise_variance)
        error = targets - inputs @ self.weights
        self.weights += np.multiply.outer(row * (scale / (keep + doubt)), error)
        self.residual = keep * self.residual + error * error * (keep / (keep + doubt))
        self.count += 1
        # (P - gg'/(keep + x'g)) / keep with g = Px, and P = scale times what is folded.
        row *= np.sqrt(scale / (keep + doubt))
        if self._folded.subtract(row, inputs, left=form * keep / (keep + doubt)):
            self._fold()
        return np.asarray(expected)

    def unlearn(self, inputs: Vector, targets: Vector) -> None:
        """Take one learned observation out of the posterior again: as if never learned, to 1e-8.

        That it was learned, only the caller can know. Raises UsageError, and changes nothing, when
        it cannot have been, when forgetting is on, or when too few digits would be left.
        """
        remedy = "learn the other labels anew instead"
        if self.forgetting < 1.0:
            raise UsageError(f"forgetting = {self.forgetting} weighs labels by age: {remedy}")
        row = self._folded.times(inputs)
        rest = 1.0 - float(inputs @ row)
        error = targets - inputs @ self.weights
        residual = self.residual - error * error / rest
        if self.count == 0 or rest < _LEAST_REST or (residual <= 0.0).any():
            raise UsageError(
                f"of {self.count} labels, this one cannot be taken back (it leaves {rest:.1g} of "
                f"what is known in its direction): {remedy}"
            )
        self.weights -= np.multiply.outer(row / rest, error)
        self.residual = residual
        self.count -= 1
        self._folded.add(row / np.sqrt(rest))

    def widen(self, extra: int) -> None:
        """Take `extra` more inputs from now on, with prior weights 0 and the prior's strength."""
        self._fold()
        size, targets = self.weights.shape
        covariance = np.eye(size + extra) / self.strength
        covariance[:size, :size] = self._folded.base
        self._folded = LowRank(covariance)
        more = np.zeros((extra, targets))
        self.weights = np.concatenate([self.weights, more])
        self.prior = np.concatenate([self.prior, more])

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "weights": self.weights.copy(),
            "residual": self.residual.copy(),
            "count": np.array([self.count], np.float64),
            "prior": self.prior.copy(),
            "prior_residual": self._prior_residual.copy(),
            "settings": np.array([self.strength, self.forgetting]),
            **self._folded.to_arrays(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls.__new__(cls)
        restored.strength, restored.forgetting = (float(x) for x in arrays["settings"])
        restored.prior = np.array(arrays["prior"])
        restored.weights = np.array(arrays["weights"])
        restored.residual = np.array(arrays["residual"])
        restored.count = int(arrays["count"][0])
        restored._prior_residual = np.array(arrays["prior_residual"])
        restored._folded = LowRank.from_arrays(arrays)
        return restored

    @property
    def _faded(self) -> float:
        """What is left of the prior since it was last made whole."""
        return float(self.forgetting**self._folded.pending)

    @property
    def _scale(self) -> float:
        return 1.0 / self._faded

    @property
    def _noise_variance(self) -> Vector:
        """Posterior mean of s2 by the weight of what it rests on, [k]."""
        weight: float = self.count
        if self.forgetting < 1.0:
            weight = (1.0 - self.forgetting**self.count) / (1.0 - self.forgetting)
        return self.residual / (NOISE_WEIGHT * self._faded + weight)

    def _fold(self) -> None:
        """Fold the covariance, and give the prior the weight back that it lost since the last."""
        lost, scale = 1.0 - self._faded, self._scale
        self._folded.fold()
        if lost == 0.0:
            return
        covariance: Matrix = scale * self._folded.base
        regained = lost * self.strength
        # (P^-1 + r I)^-1 = (I + r P)^-1 P, and the mean and residual that go with it.
        narrowing = np.eye(len(covariance)) + regained * covariance
        covariance = np.asarray(np.linalg.solve(narrowing, covariance), np.float64)
        moved = self.weights - self.prior
        kept = moved - regained * (covariance @ moved)
        self.weights = self.prior + kept
        self.residual = (
            self.residual + lost * self._prior_residual + regained * (moved * kept).sum(axis=0)
        )
        self._folded = LowRank((covariance + covariance.T) / 2.0)
