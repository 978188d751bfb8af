"""Bayesian regression with the prior's strength chosen by its evidence."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.evidence import StrengthBank
from streamer.learners.regression import BayesianRegression
from streamer.types import Matrix, Vector

FIRST_CHOICE: Final = 8


class TunedRegression:
    """A `BayesianRegression` with the strength of maximum evidence (`StrengthBank`).

    It is chosen at 8, 16, 32, ... labels, and the posterior is then that of the chosen strength for
    all labels. Until then: `strength`.

    weights: float64 [d, k], the prior mean. strength: > 0. noise: float64 [k], > 0.
    """

    def __init__(self, weights: Matrix, strength: float, noise: Vector) -> None:
        self._regression = BayesianRegression(weights, strength, noise)
        self._bank = StrengthBank(weights, noise)

    @property
    def count(self) -> int:
        return self._regression.count

    @property
    def strength(self) -> float:
        """The one in force."""
        return self._regression.strength

    @property
    def weights(self) -> Matrix:
        return self._regression.weights

    @property
    def covariance(self) -> Matrix:
        return self._regression.covariance

    def predict(self, inputs: Matrix) -> Matrix:
        """See `BayesianRegression.predict`."""
        return self._regression.predict(inputs)

    def deviation(self, inputs: Matrix) -> Matrix:
        """See `BayesianRegression.deviation`."""
        return self._regression.deviation(inputs)

    def learn(self, inputs: Vector, targets: Vector, limit: float = np.inf) -> Vector:
        """See `BayesianRegression.learn`; the evidence is of the targets as they were limited."""
        before = self._regression.predict(inputs)
        expected = self._regression.learn(inputs, targets, limit)
        error = np.clip(targets - before, -limit * expected, limit * expected)
        self._bank.learn(inputs, before + error if np.isfinite(limit) else targets)
        if self.count >= FIRST_CHOICE and self.count.bit_count() == 1:
            self._regression = self._bank.regression(self._bank.best())
        return expected

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        bank = {f"bank/{name}": array for name, array in self._bank.to_arrays().items()}
        return {**self._regression.to_arrays(), **bank}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls.__new__(cls)
        restored._regression = BayesianRegression.from_arrays(arrays)
        own = {k.removeprefix("bank/"): a for k, a in arrays.items() if k.startswith("bank/")}
        restored._bank = StrengthBank.from_arrays(own)
        return restored
