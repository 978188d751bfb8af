"""From a binary classifier's output to a confidence (Han et al. 2013, equations 1 and 2)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import Vector

PRIOR_SLOPE: Final = -2.0
PRIOR_WEIGHT: Final = 0.5
_ITERATIONS: Final = 50
_TOLERANCE: Final = 1e-10


def binary_label(value: float) -> float:
    """-1 on [-1, 0], +1 on (0, 1] (Han et al. 2013, section 2)."""
    return 1.0 if value > 0.0 else -1.0


def confidence(outputs: Vector | float, slope: float, offset: float) -> Vector:
    """conf = 1/(1 + exp(A f + B)), in [0, 1], for classifier outputs f of any shape."""
    exponent = np.clip(slope * np.asarray(outputs, np.float64) + offset, -500.0, 500.0)
    return np.asarray(1.0 / (1.0 + np.exp(exponent)))


def fit_sigmoid(
    outputs: Vector, labels: Vector, prior_weight: float = PRIOR_WEIGHT
) -> tuple[float, float]:
    """A and B of the confidence that best explains labels in {-1, +1}.

    Platt's scaling (Platt 1999; Newton's method of Lin, Lin and Weng 2007) with smoothed targets,
    and a weak normal prior of weight `prior_weight` around A = -2, B = 0, without which a few
    labels can reverse the sign of the slope. outputs, labels: float64 [n], n >= 0.

    >>> slope, _ = fit_sigmoid(np.array([-1.0, -0.5, 0.5, 1.0]), np.array([-1.0, -1.0, 1.0, 1.0]))
    >>> slope < 0
    True
    """
    positive = labels > 0
    ahead, behind = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (ahead + 1.0) / (ahead + 2.0), 1.0 / (behind + 2.0))
    design: NDArray[np.float64] = np.stack([outputs, np.ones_like(outputs)], axis=1)
    prior = np.array([PRIOR_SLOPE, 0.0])
    point = prior.copy()
    value = _loss(point, design, targets, prior, prior_weight)
    for _ in range(_ITERATIONS):
        chance = confidence(design @ point, 1.0, 0.0)
        gradient = design.T @ (targets - chance) + prior_weight * (point - prior)
        curvature = (design.T * (chance * (1.0 - chance))) @ design
        curvature += (prior_weight + 1e-12) * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-10:
            trial = point - size * step
            lower = _loss(trial, design, targets, prior, prior_weight)
            if lower <= value:
                break
            size /= 2.0
        else:
            break
        done = value - lower < _TOLERANCE
        point, value = trial, lower
        if done:
            break
    return float(point[0]), float(point[1])


def _loss(
    point: Vector, design: NDArray[np.float64], targets: Vector, prior: Vector, weight: float
) -> float:
    """Cross-entropy between targets and 1/(1 + exp(design @ point)), plus the prior's part."""
    exponent = design @ point
    entropy = np.logaddexp(0.0, exponent) - (1.0 - targets) * exponent
    return float(entropy.sum() + 0.5 * weight * ((point - prior) ** 2).sum())
