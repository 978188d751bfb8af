"""Bayesian regression with river's protocol: features by name, which may appear later."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from river.base import Regressor

from streamer.learners.regression import BayesianRegression
from streamer.types import Vector


class RiverBayesianRegression(Regressor):
    """Bayesian linear regression of one target, for river's pipelines and model selection.

    Streamer's own regression with river's protocol. A missing feature counts as 0. A new feature is
    added with its prior, weight 0 and variance 1/strength: since it was 0 in all earlier
    observations, the posterior equals, to rounding, that of a regression that had the feature from
    the start. An update costs O(d^2) in time for d features ever seen, and the state O(d^2) in
    memory.

    Parameters
    ----------
    strength
        Ridge penalty of the weights, > 0. The intercept bears it too when `intercept` is on, so
        scale the target, or turn it off.
    noise
        Standard deviation expected of the target around the regression before any has been seen,
        > 0.
    intercept
        Whether there is one.

    Raises
    ------
    ValueError
        For a strength or noise that is not above 0.

    References
    ----------
    Bishop 2006, Pattern Recognition and Machine Learning, section 3.3.

    Examples
    --------
    >>> model = RiverBayesianRegression(strength=0.01, noise=0.1)
    >>> for step in range(100):
    ...     x = {"loudness": step / 100, "pitch": (step * 7 % 100) / 100}
    ...     model.learn_one(x, 0.3 + 0.5 * x["loudness"] - 0.2 * x["pitch"])
    >>> round(model.predict_one({"loudness": 1.0, "pitch": 0.0}), 2)
    0.8
    """

    def __init__(self, strength: float = 1.0, noise: float = 0.5, intercept: bool = True) -> None:
        for name, value in (("strength", strength), ("noise", noise)):
            if not value > 0.0:
                raise ValueError(f"{name} is {value}; it must be above 0")
        self.strength = strength
        self.noise = noise
        self.intercept = intercept
        weights = np.zeros((int(intercept), 1))
        self._regression = BayesianRegression(weights, strength, np.array([noise]))
        self._columns = Columns(first=int(intercept))

    def learn_one(self, x: Mapping[Any, Any], y: float) -> None:
        """Update the posterior with one observation. Values of `x`: finite numbers."""
        new = self._columns.grow(x)
        if new:
            self._regression.widen(new)
        self._regression.learn(self._columns.inputs(x), np.array([float(y)]))

    def predict_one(self, x: Mapping[Any, Any]) -> float:
        """The predictive mean; features that were never learned have weight 0."""
        return float(self._regression.predict(self._columns.inputs(x))[0])

    def deviation_one(self, x: Mapping[Any, Any]) -> float:
        """Standard deviation of a new target at `x`, > 0: noise, and uncertainty of the weights.

        Features that were never learned add their prior variance, value^2 / strength.
        """
        known = self._columns.inputs(x)
        residual_variance = float(self._regression.deviation(np.zeros_like(known))[0]) ** 2
        new = sum(float(value) ** 2 for name, value in x.items() if name not in self._columns)
        variance = float(self._regression.deviation(known)[0]) ** 2
        return float(np.sqrt(variance + residual_variance * new / self.strength))


class Columns:
    """The names seen so far, in the order in which they came; theirs are the columns after `first`.

    first: columns that are kept for something else, and are 1.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._names: tuple[Any, ...] = ()
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        return self._first + len(self._names)

    def __contains__(self, name: Any) -> bool:
        return name in self._places

    def grow(self, x: Mapping[Any, Any]) -> int:
        """Give a column to each name in `x` not seen before; how many there were."""
        # Most often the same names come in the same order: one comparison of identities.
        if tuple(x) == self._names:
            return 0
        new = [name for name in x if name not in self._places]
        self._places.update({name: len(self) + i for i, name in enumerate(new)})
        self._names += tuple(new)
        return len(new)

    def inputs(self, x: Mapping[Any, Any]) -> Vector:
        """The values of `x` in their columns, float64 [len]; 0 where one is missing."""
        inputs = np.zeros(len(self))
        inputs[: self._first] = 1.0
        if tuple(x) == self._names:
            inputs[self._first :] = np.fromiter(x.values(), np.float64, len(x))
            return inputs
        for name, value in x.items():
            place = self._places.get(name)
            if place is not None:
                inputs[place] = value
        return inputs
