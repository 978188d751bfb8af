"""Online multinomial logistic regression with calibrated probabilities."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.names import decode_names, encode_names
from streamer.learners.replay import ReplayBuffer
from streamer.learners.softmax import SoftmaxLoss, fit_sharpness, fit_softmax, softmax
from streamer.types import Matrix, Vector

Places = NDArray[np.intp]

PENALTY: Final = 1.0
FIRST_MILESTONE: Final = 16
GROWTH: Final = 1.25
FOLDS: Final = 5
SHARPNESS_PRIOR: Final = 4.0
# Largest entry of the gradient at an optimum, and at those that only the sharpness is fitted to.
_TOLERANCE: Final = 1e-7
_ROUGH: Final = 1e-3


class OnlineLogistic:
    """Softmax regression at the exact optimum for all labels so far; new classes may appear.

    The weights minimize sum_i -log p(y_i | x_i) + penalty/2 |W|^2, intercepts free (Bishop 2006,
    section 4.3.4): scikit-learn's LogisticRegression with C = 1/penalty. Two classes have, as
    there, one vector of weights between them.

    Probabilities are calibrated by temperature (Guo et al. 2017, section 4.2): they are
    softmax(s z), where the sharpness s explains best what five-fold cross-fitting left out, with a
    prior of `SHARPNESS_PRIOR` labels' worth around 1.

    Learning stores the label. The weights are computed on demand, starting from those at the last
    milestone (16 labels, then 1.25 times as many each time), where the sharpness is fitted too: a
    few passes over the labels. The result depends on the labels only. Memory is O(n d).

    size: d, of the inputs. penalty: > 0, UsageError for others; its natural scale is that of the
    squared length of the inputs.

    >>> model = OnlineLogistic(1)
    >>> for value in (-2.0, -1.0, 1.0, 2.0):
    ...     model.learn(np.array([value]), "high" if value > 0 else "low")
    >>> model.classes
    ('low', 'high')
    >>> model.probabilities(np.array([[0.0], [3.0]])).round(2)
    array([[0.5 , 0.5 ],
           [0.05, 0.95]])
    """

    def __init__(self, size: int, penalty: float = PENALTY) -> None:
        if not penalty > 0.0:
            raise UsageError(f"penalty = {penalty}: give a number above 0")
        self.penalty = float(penalty)
        self.classes: tuple[str, ...] = ()
        # Of each row the last two numbers are the intercept's 1 and the place of the class.
        self._lessons = ReplayBuffer(np.zeros((0, size + 2)))
        # Of what is found from the lessons, nothing is kept but for speed.
        self._weights: Matrix | None = None
        self._reached: tuple[int, tuple[Matrix, Matrix, float]] | None = None

    def __len__(self) -> int:
        return self._lessons.count

    def learn(self, inputs: Vector, name: str) -> None:
        """Add one label: inputs float64 [d] of the class `name`, which may be new."""
        if name not in self.classes:
            self.classes += (name,)
        self._lessons.add(np.concatenate([inputs, [1.0, self.classes.index(name)]]))
        self._weights = None

    def probabilities(self, inputs: Matrix) -> Matrix:
        """float64 [n, K] for [n, d], columns as `classes`; rows sum to 1 once K > 0."""
        sharpness = self._milestone()[2]
        return softmax(sharpness * self.outputs(inputs))

    def outputs(self, inputs: Matrix) -> Matrix:
        """Linear outputs z, [n, K] for [n, d]; softmax(z) is scikit-learn's probability."""
        weights = self.weights
        return np.asarray(inputs @ weights[:-1] + weights[-1])

    @property
    def weights(self) -> Matrix:
        """float64 [d + 1, K], the intercepts last: the optimum for all labels."""
        if self._weights is None:
            start, inverse, _ = self._milestone()
            self._weights = self._fit(np.arange(len(self)), start, inverse, _TOLERANCE)
        return self._weights

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "lessons": self._lessons.rows.copy(),
            "classes": encode_names(self.classes),
            "penalty": np.array([self.penalty]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls(arrays["lessons"].shape[1] - 2, float(arrays["penalty"][0]))
        restored.classes = decode_names(arrays["classes"])
        restored._lessons = ReplayBuffer(arrays["lessons"])
        return restored

    def _milestone(self) -> tuple[Matrix, Matrix, float]:
        """Weights [d + 1, K'], inverse curvature and sharpness, from the labels up to the last."""
        count = _last_milestone(len(self))
        if self._reached is None or self._reached[0] != count:
            self._reached = count, self._fit_milestone(count)
        return self._reached[1]

    def _fit_milestone(self, count: int) -> tuple[Matrix, Matrix, float]:
        size = self._lessons.rows.shape[1] - 1
        inverse, places = np.eye(size), np.arange(count)
        weights = np.zeros((size, 0))
        if not count:
            return weights, inverse, 1.0
        weights = self._fit(places, weights, inverse, _TOLERANCE)
        inverse = self._loss(places, weights.shape[1]).rough_inverse_curvature(weights)
        return weights, inverse, self._sharpness(places, weights, inverse)

    def _sharpness(self, places: Places, weights: Matrix, inverse: Matrix) -> float:
        outputs, truth = [], []
        for fold in range(FOLDS):
            trained, left = places[places % FOLDS != fold], places[places % FOLDS == fold]
            # A class that only the fold left out has seen could not have been expected.
            left = left[np.isin(self._truth(left), self._truth(trained))]
            found = self._fit(trained, weights, inverse, _ROUGH)
            outputs.append(self._lessons.rows[left, :-1] @ found)
            truth.append(self._truth(left))
        return fit_sharpness(np.concatenate(outputs), np.concatenate(truth), SHARPNESS_PRIOR)

    def _fit(self, places: Places, start: Matrix, inverse: Matrix, tolerance: float) -> Matrix:
        """The optimum for the labels at these indices, [d + 1, K]."""
        kinds = max(int(self._truth(places).max(initial=-1)) + 1, start.shape[1])
        if not len(places):
            return start
        new = np.zeros((len(start), kinds - start.shape[1]))
        start = np.concatenate([start, new], axis=1)
        return fit_softmax(self._loss(places, kinds), start, inverse, tolerance)

    def _loss(self, places: Places, kinds: int) -> SoftmaxLoss:
        rows, truth = self._lessons.rows[places, :-1], self._truth(places)
        # Two classes share one vector of weights: the difference of these two, each half of it.
        penalty = np.full((rows.shape[1], 1), self.penalty * (2.0 if kinds == 2 else 1.0))
        penalty[-1] = 0.0
        wanted = np.zeros((len(rows), kinds))
        wanted[np.arange(len(rows)), truth] = 1.0
        return SoftmaxLoss(rows, wanted, penalty)

    def _truth(self, places: Places) -> Places:
        return np.asarray(self._lessons.rows[places, -1].astype(np.intp))


def _last_milestone(count: int) -> int:
    """The largest of 0, 16, 20, 25, ... that is not above count."""
    milestone, following = 0, FIRST_MILESTONE
    while following <= count:
        milestone, following = following, int(following * GROWTH)
    return milestone
