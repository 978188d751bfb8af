"""The learner of one profile: valence, arousal and dominance from normalized embeddings."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.drift import DriftDetector
from streamer.learners.inputs import RegressionInputs
from streamer.learners.metrics import RunningAgreement
from streamer.learners.platt import binary_label, confidence, fit_sigmoid
from streamer.learners.prior import Prior
from streamer.learners.regression import BayesianRegression
from streamer.learners.scale import squash, squash_one
from streamer.types import DIMENSIONS, Estimate, Label, Matrix, Prediction, Vector

# An error of more deviations than this is learned as if it were this many.
LIMIT: Final = 1.5
MINIMUM_PER_CLASS: Final = 2
CALIBRATION_PAIRS: Final = 200
# Of a sign around what the population expects of it.
SIGN_DEVIATION: Final = 1.0


class Regression(Protocol):
    """The regression of one dimension; `BayesianRegression` is the default."""

    @property
    def count(self) -> int: ...
    @property
    def covariance(self) -> Matrix | None: ...
    def predict(self, inputs: Matrix) -> Matrix: ...
    def deviation(self, inputs: Matrix) -> Matrix: ...
    def learn(self, inputs: Vector, targets: Vector, limit: float = np.inf) -> Vector: ...


@runtime_checkable
class StoredRegression(Regression, Protocol):
    """A regression whose state can be stored as arrays; others are restored by replaying labels."""

    def to_arrays(self) -> dict[str, NDArray[np.float64]]: ...


MakeRegression = Callable[[Matrix, float, Vector], Regression]
"""The prior's mean [d, k], its strength, the noise [k] -> a regression that has learned nothing."""


class DimensionLearner:
    """One dimension: its regression, interval, binary classifier and prequential metrics.

    errors: drift detector of the absolute prediction errors (see `learners.drift`).

    The regression learns the residuals of two targets to the population's expectation: the label,
    and its sign, which makes the second output a least-squares classifier (Suykens and Vandewalle
    1999) at no extra cost. `expected`, everywhere: those two expectations, float64 [2] or [n, 2].

    All metrics are computed from predictions made before the label was learned.
    """

    def __init__(self, regression: Regression) -> None:
        self.regression = regression
        # How others weigh a label is not in river's protocol. Asked once: it takes a covariance.
        self._weighs = isinstance(regression, StoredRegression)
        self.interval = AdaptiveInterval()
        self.agreement = RunningAgreement()
        self.errors = DriftDetector()
        self.calibration: Matrix = np.zeros((0, 2))
        self._sigmoid: tuple[float, float] | None = None

    def estimate(self, inputs: Vector, expected: Vector) -> Estimate:
        """The prediction, squashed onto the scale, and its interval."""
        middle = float(expected[0] + self.regression.predict(inputs)[0])
        return self._estimate(middle, float(self.regression.deviation(inputs)[0]))

    def learn(
        self, inputs: Vector, expected: Vector, value: float, utterance: int, *,
        first: bool, weight: float = 1.0,
    ) -> None:  # fmt: skip
        """Test, then train. Only an utterance's `first` label counts as a test.

        weight: in (0, 1], of this label against one of full weight; its noise variance is 1/weight
        of the usual. Weighted least squares: inputs and targets times the root of the weight.
        """
        sign = binary_label(value)
        said = expected + self.regression.predict(inputs)
        rest = np.array([value, sign]) - expected
        if weight == 1.0 or not self._weighs:
            before = self.regression.learn(inputs, rest, LIMIT)
        else:
            before = self.regression.deviation(inputs)  # as `estimate` has it
            root = math.sqrt(weight)
            self.regression.learn(root * inputs, root * rest, LIMIT)
        if first:
            shown = self._estimate(float(said[0]), float(before[0]))
            inside = shown.low <= value <= shown.high  # what is shown, cut at the scale's ends
            self.interval.observe(0.0 if inside else value - float(said[0]), float(before[0]))
            self.agreement.observe(shown.mean, value)
            self.errors.observe(utterance, abs(value - shown.mean))
            pair = np.array([[said[1], sign]])
            self.calibration = np.concatenate([self.calibration, pair])[-CALIBRATION_PAIRS:]
            self._sigmoid = None

    def confidence(self, inputs: Matrix, expected: Matrix) -> Vector | None:
        """Chance in [0, 1], [n], that each of [n, d] is above 0; None while a class is missing."""
        if self.scarce_class() is not None:
            return None
        if self._sigmoid is None:
            self._sigmoid = fit_sigmoid(self.calibration[:, 0], self.calibration[:, 1])
        outputs = expected[:, 1] + self.regression.predict(inputs)[:, 1]
        return confidence(outputs, *self._sigmoid)

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

    def _estimate(self, middle: float, deviation: float) -> Estimate:
        mean = squash_one(middle)
        half = self.interval.width * deviation
        low, high = max(middle - half, -1.0), min(middle + half, 1.0)
        # Where the middle lies far outside the scale, all of the interval does.
        return Estimate(mean, min(low, mean), max(high, mean))


class AffectLearner:
    """A `DimensionLearner` for each of valence, arousal and dominance.

    `features` everywhere: float64 [d], standard scores of an embedding. They enter the regression
    of a dimension as [sqrt(b/d) L features, sqrt(a)] with prior covariance s2 I, which is the
    hierarchical model of `learners.prior`: what this voice's weights and offset add to the
    population's expectation.
    """

    def __init__(self, prior: Prior, make: MakeRegression = BayesianRegression) -> None:
        self._inputs = RegressionInputs(prior)
        nothing = np.zeros((prior.size + 1, 2))
        self.dimensions: dict[str, DimensionLearner] = {}
        for column, name in enumerate(DIMENSIONS):
            doubt = 1.0 + prior.offset_variance[column] + prior.weight_variance[column]
            noise = np.array([prior.noise[column], SIGN_DEVIATION / np.sqrt(doubt)])
            self.dimensions[name] = DimensionLearner(make(nothing, 1.0, noise))

    def predict(self, features: Vector) -> Prediction:
        expected, inputs = self._inputs.read(features)
        return Prediction(
            **{
                name: one.estimate(inputs[column], expected[column])
                for column, (name, one) in enumerate(self.dimensions.items())
            }
        )

    def learn(self, features: Vector, label: Label, *, first: bool, weight: float = 1.0) -> None:
        """Learn every dimension that the label rates.

        first: it is the utterance's first label; weight: see `DimensionLearner.learn`.
        """
        expected, inputs = self._inputs.read(features)
        for column, (name, one) in enumerate(self.dimensions.items()):
            value = getattr(label, name)
            if value is not None:
                one.learn(
                    inputs[column], expected[column], value, label.utterance,
                    first=first, weight=weight,
                )  # fmt: skip

    def confidence(self, dimension: str, features: Matrix) -> Vector | None:
        """See `DimensionLearner.confidence`; features [n, d]."""
        column = DIMENSIONS.index(dimension)
        expected, inputs = self._inputs.read(features)
        return self.dimensions[dimension].confidence(inputs[column], expected[column])

    def lacks(self, dimension: str) -> str:
        """Why there is no confidence, as text for the user."""
        return f"too few {self.dimensions[dimension].scarce_class()} {dimension} labels"

    def means(self, features: Matrix) -> Matrix:
        """Predictions in (-1, 1), [n, 3] for [n, d]."""
        return squash(self.middles(features))

    def middles(self, features: Matrix) -> Matrix:
        """Predictions before squashing, [n, 3] for [n, d]: may lie outside the scale."""
        expected, inputs = self._inputs.read(features)
        columns = [
            expected[column][:, 0] + one.regression.predict(inputs[column])[:, 0]
            for column, one in enumerate(self.dimensions.values())
        ]
        return np.stack(columns, axis=1)

    def deviations(self, features: Matrix) -> Matrix:
        """Standard deviations of a new label, [n, 3] for [n, d], noise included."""
        _, inputs = self._inputs.read(features)
        columns = [
            one.regression.deviation(inputs[column])[:, 0]
            for column, one in enumerate(self.dimensions.values())
        ]
        return np.stack(columns, axis=1)

    def noise(self, dimension: str) -> float:
        """Standard deviation of the label noise."""
        # At inputs of length 0 the doubt about offset and weights has no part in the deviation.
        nothing = np.zeros(self._inputs.size)
        return float(self.dimensions[dimension].regression.deviation(nothing)[0])

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None:
        """See `DimensionLearner.covariance`; features [n, d]."""
        _, inputs = self._inputs.read(features)
        return self.dimensions[dimension].covariance(inputs[DIMENSIONS.index(dimension)])

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
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]], prior: Prior) -> Self:
        """The inverse of `to_arrays`, bit for bit; prior: the one that it was made with."""
        restored = cls.__new__(cls)
        restored._inputs = RegressionInputs(prior)
        restored.dimensions = {}
        for name in DIMENSIONS:
            own = {
                k.removeprefix(f"{name}/"): a for k, a in arrays.items() if k.startswith(f"{name}/")
            }
            restored.dimensions[name] = DimensionLearner.from_arrays(own)
        return restored
