"""The learner of one profile: valence, arousal and dominance from normalized embeddings."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.drift import DriftDetector
from streamer.learners.metrics import RunningAgreement
from streamer.learners.platt import binary_label, confidence, fit_sigmoid
from streamer.learners.prior import Prior
from streamer.learners.regression import BayesianRegression
from streamer.types import DIMENSIONS, Estimate, Label, Matrix, Prediction, Vector

PRIOR_STRENGTH: Final = 0.2
MINIMUM_PER_CLASS: Final = 2
CALIBRATION_PAIRS: Final = 200


class Regression(Protocol):
    """What a dimension is learned by; see `BayesianRegression`, which is the product's."""

    @property
    def count(self) -> int: ...
    @property
    def covariance(self) -> Matrix | None: ...
    def predict(self, inputs: Matrix) -> Matrix: ...
    def deviation(self, inputs: Matrix) -> Matrix: ...
    def learn(self, inputs: Vector, targets: Vector) -> Vector: ...


@runtime_checkable
class StoredRegression(Regression, Protocol):
    """One whose state can be kept as arrays; of any other it is the replay of the labels."""

    def to_arrays(self) -> dict[str, NDArray[np.float64]]: ...


MakeRegression = Callable[[Matrix, float, Vector], Regression]
"""The prior's mean [d, k], its strength, the noise [k] -> a regression that has learned nothing."""


class DimensionLearner:
    """One dimension: its regression, its interval, its binary classifier and its track record.

    errors: whether those of its predictions have risen for good (see `learners.drift`).

    The regression has two targets: the label, and its sign, which makes the second output a
    least-squares classifier (Suykens and Vandewalle 1999) that costs nothing more to update.
    Everything that judges the learner is told what the regression expected before it learned.
    """

    def __init__(self, regression: Regression) -> None:
        self.regression = regression
        self.interval = AdaptiveInterval()
        self.agreement = RunningAgreement()
        self.errors = DriftDetector()
        self.calibration: Matrix = np.zeros((0, 2))
        self._sigmoid: tuple[float, float] | None = None

    def estimate(self, inputs: Vector) -> Estimate:
        mean = _on_scale(self.regression.predict(inputs)[0])
        half = self.interval.width * float(self.regression.deviation(inputs)[0])
        return Estimate(mean, _on_scale(mean - half), _on_scale(mean + half))

    def learn(self, inputs: Vector, value: float, utterance: int, *, first: bool) -> None:
        """Test, then train. Only an utterance's `first` label tests fairly."""
        sign = binary_label(value)
        mean, output = self.regression.predict(inputs)
        deviation = self.regression.learn(inputs, np.array([value, sign]))
        if first:
            shown = _on_scale(mean)
            self.interval.observe(value - shown, float(deviation[0]))
            self.agreement.observe(shown, value)
            self.errors.observe(utterance, abs(value - shown))
            pair = np.array([[output, sign]])
            self.calibration = np.concatenate([self.calibration, pair])[-CALIBRATION_PAIRS:]
            self._sigmoid = None

    def confidence(self, inputs: Matrix) -> Vector | None:
        """Chance in [0, 1], [n], that each of [n, d] is above 0; None while a class is missing."""
        if self.scarce_class() is not None:
            return None
        if self._sigmoid is None:
            self._sigmoid = fit_sigmoid(self.calibration[:, 0], self.calibration[:, 1])
        return confidence(self.regression.predict(inputs)[:, 1], *self._sigmoid)

    def covariance(self, inputs: Matrix) -> Matrix | None:
        """Posterior covariance of the means at [n, d], [n, n], in units of the noise variance.

        None where the regression knows none.
        """
        covariance = self.regression.covariance
        return None if covariance is None else np.asarray(inputs @ covariance @ inputs.T)

    def scarce_class(self) -> str | None:
        """The class with fewer labels than can train a classifier, or None."""
        signs = self.calibration[:, 1]
        for name, count in (("positive", (signs > 0).sum()), ("negative", (signs < 0).sum())):
            if count < MINIMUM_PER_CLASS:
                return name
        return None

    def to_arrays(self) -> dict[str, Matrix | Vector]:
        """Raises TypeError where the regression cannot be stored."""
        if not isinstance(self.regression, StoredRegression):
            raise TypeError(f"{type(self.regression).__name__} is not stored but replayed")
        return {
            **self.regression.to_arrays(),
            **self.interval.to_arrays(),
            **self.agreement.to_arrays(),
            **self.errors.to_arrays(),
            "calibration": self.calibration,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls(BayesianRegression.from_arrays(arrays))
        restored.interval = AdaptiveInterval.from_arrays(arrays)
        restored.agreement = RunningAgreement.from_arrays(arrays)
        restored.errors = DriftDetector.from_arrays(arrays)
        restored.calibration = np.array(arrays["calibration"])
        return restored


class AffectLearner:
    """A `DimensionLearner` for each of valence, arousal and dominance.

    `features` everywhere: float64 [d], standard scores of an embedding. They enter the
    regressions as [features / sqrt(d), 1], so `PRIOR_STRENGTH` means the same for every encoder.
    """

    def __init__(self, prior: Prior, make: MakeRegression = BayesianRegression) -> None:
        size = prior.weights.shape[0]
        # The prior's noise is all that it leaves unexplained on a new voice. Of that, the doubt
        # about the weights takes its part: the squared length of typical inputs is 2.
        doubt = np.sqrt(1.0 + 2.0 / PRIOR_STRENGTH)
        self.dimensions: dict[str, DimensionLearner] = {}
        for column, name in enumerate(DIMENSIONS):
            weights = np.append(prior.weights[:, column] * np.sqrt(size), prior.intercept[column])
            regression = make(
                np.stack([weights, weights], axis=1),
                PRIOR_STRENGTH,
                np.array([prior.noise[column], 1.0]) / doubt,
            )
            self.dimensions[name] = DimensionLearner(regression)

    def predict(self, features: Vector) -> Prediction:
        inputs = _inputs(features)
        return Prediction(**{n: learner.estimate(inputs) for n, learner in self.dimensions.items()})

    def learn(self, features: Vector, label: Label, *, first: bool) -> None:
        """Learn every dimension that the label answers; `first`: the utterance's first label."""
        inputs = _inputs(features)
        for name, learner in self.dimensions.items():
            value = getattr(label, name)
            if value is not None:
                learner.learn(inputs, value, label.utterance, first=first)

    def confidence(self, dimension: str, features: Matrix) -> Vector | None:
        """See `DimensionLearner.confidence`; features [n, d]."""
        return self.dimensions[dimension].confidence(_inputs(features))

    def lacks(self, dimension: str) -> str:
        """Why there is no confidence, for people."""
        return f"too few {self.dimensions[dimension].scarce_class()} {dimension} labels"

    def means(self, features: Matrix) -> Matrix:
        """Predictions, [n, 3] for [n, d], not clipped to the scale."""
        inputs = _inputs(features)
        columns = [learner.regression.predict(inputs)[:, 0] for learner in self.dimensions.values()]
        return np.stack(columns, axis=1)

    def deviations(self, features: Matrix) -> Matrix:
        """Standard deviations of a new label, [n, 3] for [n, d], noise included."""
        inputs = _inputs(features)
        columns = [
            learner.regression.deviation(inputs)[:, 0] for learner in self.dimensions.values()
        ]
        return np.stack(columns, axis=1)

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None:
        """See `DimensionLearner.covariance`; features [n, d]."""
        return self.dimensions[dimension].covariance(_inputs(features))

    @property
    def is_storable(self) -> bool:
        """Whether `to_arrays` gives its state; else it is the replay of the labels."""
        return all(isinstance(d.regression, StoredRegression) for d in self.dimensions.values())

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """Raises TypeError unless `is_storable`."""
        return {
            f"{name}/{key}": array
            for name, learner in self.dimensions.items()
            for key, array in learner.to_arrays().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls.__new__(cls)
        restored.dimensions = {}
        for name in DIMENSIONS:
            own = {
                k.removeprefix(f"{name}/"): a for k, a in arrays.items() if k.startswith(f"{name}/")
            }
            restored.dimensions[name] = DimensionLearner.from_arrays(own)
        return restored


def _inputs(features: NDArray[np.float64]) -> NDArray[np.float64]:
    ones = np.ones((*features.shape[:-1], 1))
    return np.concatenate([features / np.sqrt(features.shape[-1]), ones], axis=-1)


def _on_scale(value: float) -> float:
    return min(max(float(value), -1.0), 1.0)
