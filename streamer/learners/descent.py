"""The minimum of a smooth convex function of a matrix."""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from streamer.types import Matrix

Loss = Callable[[Matrix], tuple[float, Matrix]]

MEMORY: Final = 10
_ITERATIONS: Final = 500
_HALVINGS: Final = 40
_ARMIJO: Final = 1e-4
# What rounding may add to a sum of many terms.
_SLACK: Final = 1e-13


def minimize(loss: Loss, start: Matrix, inverse: Matrix, tolerance: float) -> Matrix:
    """Minimize from `start`, [d, k], until no entry of the gradient exceeds `tolerance`.

    Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4) with backtracking. `loss` gives
    value and gradient, [d, k]; `inverse`, [d, d], approximates the inverse Hessian, the same for
    each column: the better, the fewer the steps.
    """
    point = start
    value, gradient = loss(point)
    pairs: deque[tuple[Matrix, Matrix, float]] = deque(maxlen=MEMORY)
    for _ in range(_ITERATIONS):
        if _flat(gradient, tolerance):
            break
        direction = -_times_inverse_curvature(gradient, pairs, inverse)
        found = _backtrack(loss, point, value, gradient, direction)
        if found is None:
            break
        trial, value, turned = found
        step, change = trial - point, turned - gradient
        curvature = float(np.vdot(step, change))
        if curvature > 0.0:
            pairs.append((step, change, curvature))
        point, gradient = trial, turned
    return point


def minimize_newton(
    loss: Loss, curvature: Callable[[Matrix], Matrix], start: Matrix, tolerance: float
) -> Matrix:
    """As `minimize`, by Newton's method: `curvature` gives [dk, dk] of the flattened point.

    Few steps, each of O((dk)^3), whatever the scales of the inputs.
    """
    point = start
    value, gradient = loss(point)
    for _ in range(_ITERATIONS):
        if _flat(gradient, tolerance):
            break
        step = np.asarray(np.linalg.solve(curvature(point), gradient.ravel()), np.float64)
        found = _backtrack(loss, point, value, gradient, -step.reshape(point.shape))
        if found is None:
            break
        point, value, gradient = found
    return point


def _flat(gradient: Matrix, tolerance: float) -> bool:
    return bool(np.abs(gradient).max(initial=0.0) <= tolerance)


def _backtrack(
    loss: Loss, point: Matrix, value: float, gradient: Matrix, direction: Matrix
) -> tuple[Matrix, float, Matrix] | None:
    """Point, value and gradient after the first step that decreases the loss enough; or None."""
    slope = float(np.vdot(gradient, direction))
    size, slack = 1.0, _SLACK * abs(value)
    for _ in range(_HALVINGS):
        trial = point + size * direction
        lower, turned = loss(trial)
        if lower <= value + _ARMIJO * size * slope + slack:
            return trial, lower, turned
        size /= 2.0
    return None


def _times_inverse_curvature(
    gradient: Matrix, pairs: deque[tuple[Matrix, Matrix, float]], inverse: Matrix
) -> Matrix:
    """The two-loop recursion."""
    turned = gradient.copy()
    parts = []
    for step, change, curvature in reversed(pairs):
        part = float(np.vdot(step, turned)) / curvature
        turned -= part * change
        parts.append(part)
    if pairs:
        _, change, curvature = pairs[-1]
        scale = curvature / float(np.vdot(change, inverse @ change))
        turned = scale * (inverse @ turned)
    else:
        turned = inverse @ turned
    for (step, change, curvature), part in zip(pairs, reversed(parts), strict=True):
        turned += (part - float(np.vdot(change, turned)) / curvature) * step
    return turned
