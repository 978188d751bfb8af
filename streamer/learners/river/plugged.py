"""Any of river's regressors and classifiers, by import path, on arrays.

A path is `river:` and what follows `river.` in Python, settings in brackets if any:
`river:linear_model.PARegressor`, `river:tree.HoeffdingTreeRegressor(grace_period=50)`.
An estimator that takes a seed and is given none gets the one passed in.

River's estimators can be saved only by pickle, which nothing here reads. So their lessons are
kept and learned again, in order, when restored: slow to load, exact, and O(n d) large.
"""

import ast
import inspect
import pkgutil
from collections.abc import Hashable, Mapping
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier, Estimator, Regressor
from river.multiclass import OneVsRestClassifier

from streamer.errors import UsageError
from streamer.learners.names import decode_names, encode_names
from streamer.learners.regression import NOISE_WEIGHT
from streamer.learners.replay import ReplayBuffer
from streamer.types import Matrix, Vector

PREFIX: Final = "river:"


def make_river(path: str, kind: type[Estimator], seed: int) -> Any:
    """A new estimator of that path, an instance of `kind`. Raises UsageError.

    >>> make_river("river:linear_model.PARegressor(C=0.5)", Regressor, seed=0).C
    0.5
    """
    wanted = kind.__name__.lower()
    example = f"give a {wanted} of river's as river:module.Name or river:module.Name(setting=1)"
    try:
        found = ast.parse(path.removeprefix(PREFIX), mode="eval").body
        settings: dict[str, Any] = {}
        if isinstance(found, ast.Call):
            if found.args:
                raise UsageError(f"{path}: name its settings; {example}")
            settings = {str(k.arg): ast.literal_eval(k.value) for k in found.keywords}
            found = found.func
        module, _, name = ast.unparse(found).rpartition(".")
        estimator = pkgutil.resolve_name(f"river.{module}:{name}")
        if not (inspect.isclass(estimator) and issubclass(estimator, kind)):
            raise UsageError(f"{path} is no {wanted}: {example}")
        if "seed" in inspect.signature(estimator).parameters:
            settings = {"seed": seed} | settings
        return estimator(**settings)
    except (SyntaxError, ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be made ({error}): {example}") from error


class PluggedRegressor:
    """One river regressor a target, behind what `BayesianRegression` offers.

    Its deviation is the root mean squared error of its predictions before each label, the same
    for all inputs; before any it is `noise`, which counts as `NOISE_WEIGHT` labels.

    size: d. noise: float64 [k], > 0. Raises UsageError as `make_river`.
    """

    def __init__(self, path: str, size: int, noise: Vector, seed: int = 0) -> None:
        self.path, self.seed = path, seed
        self.noise: Vector = np.array(noise, np.float64)
        self._models: list[Regressor] = [make_river(path, Regressor, seed) for _ in noise]
        self._lessons = ReplayBuffer(np.zeros((0, size + len(noise))))
        self._squares: Vector = NOISE_WEIGHT * self.noise**2

    @property
    def count(self) -> int:
        return self._lessons.count

    @property
    def covariance(self) -> None:
        """River's regressors have none to tell: a strategy that asks for it goes by chance."""
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
        deviation = np.sqrt(self._squares / (NOISE_WEIGHT + self.count))
        return np.broadcast_to(deviation, (*np.shape(inputs)[:-1], len(deviation))).copy()

    def learn(self, inputs: Vector, targets: Vector) -> Vector:
        """Take one observation, [d] and [k]. Returns the deviation with which it was expected."""
        expected = self.deviation(inputs)
        error = targets - self.predict(inputs)
        row = _named(inputs)
        for model, target in zip(self._models, targets.tolist(), strict=True):
            model.learn_one(row, target)
        self._squares = self._squares + error * error
        self._lessons.add(np.concatenate([inputs, targets]))
        return expected

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "path": encode_names([self.path]),
            "seed": np.array([self.seed], np.float64),
            "noise": self.noise.copy(),
            "lessons": self._lessons.rows.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`: learns every lesson again."""
        lessons, targets = arrays["lessons"], len(arrays["noise"])
        size = lessons.shape[1] - targets
        (path,) = decode_names(arrays["path"])
        restored = cls(path, size, arrays["noise"], int(arrays["seed"][0]))
        for row in lessons:
            restored.learn(row[:size], row[size:])
        return restored


class PluggedClassifier:
    """A river classifier behind what `OnlineLogistic` offers; one for two classes is made to serve
    many, one against the rest.

    size: d. Raises UsageError as `make_river`.
    """

    def __init__(self, path: str, size: int, seed: int = 0) -> None:
        self.path, self.seed = path, seed
        self.classes: tuple[str, ...] = ()
        model = make_river(path, Classifier, seed)
        self._model: Classifier = model if model._multiclass else OneVsRestClassifier(model)
        self._lessons = ReplayBuffer(np.zeros((0, size + 1)))

    def learn(self, inputs: Vector, name: str) -> None:
        """Take one label: inputs float64 [d] are of the class `name`, which may be a new one."""
        if name not in self.classes:
            self.classes += (name,)
        self._model.learn_one(_named(inputs), name)
        self._lessons.add(np.append(inputs, self.classes.index(name)))

    def probabilities(self, inputs: Matrix) -> Matrix:
        """float64 [n, K] for [n, d], columns as `classes`; rows sum to 1 once K > 0.

        Of a classifier that gives no chances, its choice at 1; where it says nothing, all alike.
        """
        chances = np.zeros((len(inputs), len(self.classes)))
        for place, row in zip(chances, inputs, strict=True):
            said = self._said(_named(row))
            place[:] = [said.get(name, 0.0) for name in self.classes]
        totals = chances.sum(axis=1, keepdims=True)
        alike = 1.0 / max(len(self.classes), 1)
        return np.where(totals > 0.0, chances / np.where(totals > 0.0, totals, 1.0), alike)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "path": encode_names([self.path]),
            "seed": np.array([self.seed], np.float64),
            "classes": encode_names(self.classes),
            "lessons": self._lessons.rows.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`: learns every lesson again."""
        lessons, classes = arrays["lessons"], decode_names(arrays["classes"])
        (path,) = decode_names(arrays["path"])
        restored = cls(path, lessons.shape[1] - 1, int(arrays["seed"][0]))
        for row in lessons:
            restored.learn(row[:-1], classes[int(row[-1])])
        return restored

    def _said(self, row: dict[Hashable, Any]) -> dict[Any, float]:
        try:
            return dict(self._model.predict_proba_one(row))
        except NotImplementedError:
            return {self._model.predict_one(row): 1.0}


def _named(inputs: Vector) -> dict[Hashable, Any]:
    return dict(enumerate(inputs.tolist()))
