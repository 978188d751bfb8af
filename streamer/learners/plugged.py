"""Online regressors in place of the Bayesian one: of river, or a user's class.

A learner is chosen by name or import path: `bayesian`, `river:linear_model.PARegressor`,
`mine:Cautious(share=0.3)`. They implement river's protocol. Their state could be stored only by
pickle, which Streamer never reads; it is restored by replaying the labels in order.
"""

import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from streamer.errors import UsageError
from streamer.learners.affect import MakeRegression
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression
from streamer.system import in_one_line, is_import_path, load_class, make_instance
from streamer.types import Matrix, Vector

BAYESIAN: Final = "bayesian"
SEED: Final = 0
_WANTED: Final = "a regressor that speaks river's protocol (learn_one(x, y), predict_one(x))"


class OnlineRegressor(Protocol):
    """The protocol of a user's learner: that of river's `base.Regressor`.

    `x`: one value a feature, by name, the same names every time. Where it also has
    ``deviation_one(x)``, the standard deviation of a new target at x, > 0, the intervals of
    predictions rest on that; else on the errors of its predictions so far.
    `streamer.check_learner` checks a class against this protocol.
    """

    def learn_one(self, x: dict[Any, Any], y: float) -> object:
        """Learn one target, in [-1, 1]."""

    def predict_one(self, x: dict[Any, Any]) -> float | None:
        """The target expected at x; None, for nothing yet, counts as 0."""


Learner = str | Callable[[], OnlineRegressor]
"""A name, an import path, or what makes a regressor that has learned nothing, such as a class."""


def make_regression(learner: Learner) -> MakeRegression:
    """A factory of the regressions of a learner.

    Raises
    ------
    UsageError
        There is no such learner, or it is not a regressor.
    """
    if learner == BAYESIAN:
        return BayesianRegression
    make = regressor_maker(learner)
    return lambda weights, strength, noise: PluggedRegression(make, noise)


class PluggedRegression:
    """One regressor per target, behind the interface of `BayesianRegression`.

    Without `deviation_one`, its deviation is the root mean squared error of its predictions before
    each label, the same for all inputs; before any it is `noise`, worth `NOISE_WEIGHT` labels.

    make: returns an untrained regressor. noise: float64 [k], > 0.
    """

    def __init__(self, make: Callable[[], OnlineRegressor], noise: Vector) -> None:
        self._models = [make() for _ in noise]
        self._squares: Vector = NOISE_WEIGHT * np.array(noise, np.float64) ** 2
        self.count = 0

    @property
    def covariance(self) -> None:
        """None, unknown: a strategy that requires it chooses at random and reports that."""
        return None

    def predict(self, inputs: Matrix) -> Matrix:
        """Means, [k] for [d] or [n, k] for [n, d]."""
        if np.ndim(inputs) > 1:
            means = [self.predict(row) for row in inputs]
            return np.array(means, np.float64).reshape(len(inputs), len(self._models))
        row = _named(inputs)
        return np.array([float(model.predict_one(row) or 0.0) for model in self._models])

    def deviation(self, inputs: Matrix) -> Matrix:
        """Standard deviation of a new observation, [k] for [d] or [n, k] for [n, d]."""
        if hasattr(self._models[0], "deviation_one"):
            rows = np.atleast_2d(inputs)
            known = [[m.deviation_one(_named(row)) for m in self._models] for row in rows]  # type: ignore[attr-defined]
            return np.array(known, np.float64).reshape(*np.shape(inputs)[:-1], len(self._models))
        deviation = np.sqrt(self._squares / (NOISE_WEIGHT + self.count))
        return np.broadcast_to(deviation, (*np.shape(inputs)[:-1], len(deviation))).copy()

    def learn(self, inputs: Vector, targets: Vector, limit: float = np.inf) -> Vector:
        """Take one observation, [d] and [k]. Returns the deviation with which it was expected.

        limit: ignored; the influence of one label is up to the regressor.
        """
        expected = self.deviation(inputs)
        error = targets - self.predict(inputs)
        for model, target in zip(self._models, targets.tolist(), strict=True):
            model.learn_one(_named(inputs), target)
        self._squares = self._squares + error * error
        self.count += 1
        return expected


def regressor_maker(learner: Learner) -> Callable[[], OnlineRegressor]:
    """A factory for an import path or class.

    It is tested with one label, so that an unsuitable class is rejected before a session starts.
    Raises UsageError.
    """
    if isinstance(learner, str):
        if not is_import_path(learner):
            raise UsageError(
                f"no learner {learner!r}: choose {BAYESIAN}, river:module.Class, or one of your "
                "own as package.module:Class"
            )
        name = learner
        make = partial(make_instance, *load_class(learner, _WANTED), name, seed=SEED)
    else:
        name = getattr(learner, "__name__", repr(learner))
        make = partial(make_instance, learner, {}, name, seed=SEED)
    problem = _problem(make())
    if problem:
        raise UsageError(f"{name} {problem}: give {_WANTED}; `streamer.check_learner` says more")
    return make


def _problem(regressor: Any) -> str | None:
    """Why it is not a regressor, or None."""
    if not (hasattr(regressor, "learn_one") and hasattr(regressor, "predict_one")):
        return "has no learn_one and predict_one"
    if hasattr(regressor, "predict_proba_one"):
        return "is a classifier"
    x: dict[Hashable, Any] = {0: 0.5, 1: -0.5}
    try:
        regressor.learn_one(x, 0.25)
        said = regressor.predict_one(x)
        if isinstance(said, bool) or not math.isfinite(said):
            return f"predicts {said!r}, which is no finite number"
    except Exception as error:  # somebody's own, it may fail in any way
        return f"cannot learn a number ({in_one_line(error)})"
    return None


def _named(inputs: Vector) -> dict[Any, Any]:
    return dict(enumerate(inputs.tolist()))
