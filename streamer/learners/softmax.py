"""Batch softmax regression at the optimum."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.learners.descent import minimize, minimize_newton
from streamer.types import Matrix, Vector

# Up to so many weights, their whole matrix of curvature is cheap, and no scale is too odd for it.
_FEW: Final = 256
# The loss does not change when all intercepts move together; this keeps the curvature regular.
_REGULAR: Final = 1e-9
_STEPS: Final = 50
_LONGEST_STEP: Final = 0.5
_SHORTEST_STEP: Final = 1e-10
_SHARPNESS_BOUNDS: Final = (0.05, 5.0)


def softmax(outputs: Matrix) -> Matrix:
    """Rows that sum to 1, [n, K] for [n, K]."""
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class SoftmaxLoss:
    """sum_i -log softmax(x_i W)[y_i] + sum_jk penalty_j W_jk^2 / 2 (Bishop 2006, 4.3.4).

    rows: [n, d]; wanted: [n, K], 1 at the class of each; penalty: [d, 1], >= 0.
    """

    rows: Matrix
    wanted: Matrix
    penalty: Matrix

    def __call__(self, weights: Matrix) -> tuple[float, Matrix]:
        """Value and gradient at weights [d, K]."""
        outputs = self.rows @ weights
        most = outputs.max(axis=1, keepdims=True)
        powers = np.exp(outputs - most)
        totals = powers.sum(axis=1, keepdims=True)
        missed = float((np.log(totals) + most).sum() - np.vdot(outputs, self.wanted))
        held = self.penalty * weights
        gradient = self.rows.T @ (powers / totals - self.wanted) + held
        return missed + 0.5 * float(np.vdot(held, weights)), gradient

    def curvature(self, weights: Matrix) -> Matrix:
        """[d K, d K], of the flattened weights (Bishop 2006, equation 4.110)."""
        size, kinds = weights.shape
        chances = softmax(self.rows @ weights)
        crossed = (self.rows[:, :, np.newaxis] * chances[:, np.newaxis]).reshape(-1, size * kinds)
        whole = -(crossed.T @ crossed).reshape(size, kinds, size, kinds)
        for kind in range(kinds):
            whole[:, kind, :, kind] += (self.rows.T * chances[:, kind]) @ self.rows
            whole[range(size), kind, range(size), kind] += self.penalty[:, 0] + _REGULAR
        return whole.reshape(size * kinds, size * kinds)

    def rough_inverse_curvature(self, weights: Matrix) -> Matrix:
        """[d, d]: the inverse of the mean over the classes of the curvature in each."""
        chances = softmax(self.rows @ weights)
        weight = (chances * (1.0 - chances)).mean(axis=1)
        ridge = np.diag(self.penalty[:, 0] + _REGULAR + 1e-6 * len(self.rows))
        return np.linalg.inv((self.rows.T * weight) @ self.rows + ridge)


def fit_softmax(loss: SoftmaxLoss, start: Matrix, inverse: Matrix, tolerance: float) -> Matrix:
    """The optimum, [d, K], from `start` [d, K], to gradients of `tolerance`.

    inverse: [d, d], a guess at the inverse of the curvature, for when there are many weights.
    """
    if start.size <= _FEW:
        return minimize_newton(loss, loss.curvature, start, tolerance)
    return minimize(loss, start, inverse, tolerance)


def fit_sharpness(outputs: Matrix, truth: NDArray[np.intp], prior: float) -> float:
    """s in [0.05, 5] that minimizes sum -log softmax(s z)[truth] + prior (s - 1)^2 / 2.

    outputs: z, [n, K]; Newton's method. The inverse of the temperature of Guo et al. 2017.
    """
    sharpness = 1.0
    hit = outputs[np.arange(len(truth)), truth].sum()
    for _ in range(_STEPS):
        chances = softmax(sharpness * outputs)
        mean: Vector = (chances * outputs).sum(axis=1)
        slope = mean.sum() - hit + prior * (sharpness - 1.0)
        curvature = (chances * outputs**2).sum() - (mean**2).sum() + prior
        step = float(np.clip(slope / curvature, -_LONGEST_STEP, _LONGEST_STEP))
        sharpness = float(np.clip(sharpness - step, *_SHARPNESS_BOUNDS))
        if abs(step) < _SHORTEST_STEP:
            break
    return sharpness
