"""Metrics of predictions on a test set.

CC, CCC and RMSE for valence, arousal and dominance; UAR and WA for emotions. The running
CCC of online learning is `learners.metrics.RunningAgreement`, which gives the same value.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import Vector

Classes = NDArray[np.intp]


def ccc(prediction: Vector, truth: Vector) -> float:
    """Concordance correlation coefficient of [n] (Lin 1989, equation 3), in [-1, 1].

    2 cov(p, t) / (var(p) + var(t) + (mean(p) - mean(t))^2), population moments; nan where both
    are constant and equal, or n is 0.

    >>> ccc(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0]))
    1.0
    """
    if not len(prediction):
        return float("nan")
    off = prediction.mean() - truth.mean()
    covariance = ((prediction - prediction.mean()) * (truth - truth.mean())).mean()
    spread = prediction.var() + truth.var() + off**2
    same = np.ptp(np.concatenate([prediction, truth])) == 0.0
    return float(2.0 * covariance / spread) if spread > 0.0 and not same else float("nan")


def cc(prediction: Vector, truth: Vector) -> float:
    """Pearson's correlation coefficient of [n], in [-1, 1]; nan where either is constant."""
    if not len(prediction):
        return float("nan")
    constant = np.ptp(prediction) == 0.0 or np.ptp(truth) == 0.0
    spread = prediction.std() * truth.std()
    covariance = ((prediction - prediction.mean()) * (truth - truth.mean())).mean()
    return float(covariance / spread) if spread > 0.0 and not constant else float("nan")


def rmse(prediction: Vector, truth: Vector) -> float:
    """Root mean squared error of [n], >= 0; nan for n = 0."""
    if not len(prediction):
        return float("nan")
    return float(np.sqrt(((prediction - truth) ** 2).mean()))


def uar(prediction: Classes, truth: Classes) -> float:
    """Unweighted average recall of class numbers [n], in [0, 1]; also called BCA.

    The mean of the recalls of the classes that occur in `truth`.

    >>> uar(np.array([0, 0, 1]), np.array([0, 1, 1]))
    0.75
    """
    if not len(truth):
        return float("nan")
    right = prediction == truth
    return float(np.mean([right[truth == name].mean() for name in np.unique(truth)]))


def wa(prediction: Classes, truth: Classes) -> float:
    """Weighted accuracy of class numbers [n]: the fraction that is correct, in [0, 1]."""
    return float((prediction == truth).mean()) if len(truth) else float("nan")


AFFECT_MEASURES: Final[Mapping[str, Callable[[Vector, Vector], float]]] = {
    "ccc": ccc, "cc": cc, "rmse": rmse,
}  # fmt: skip
EMOTION_MEASURES: Final[Mapping[str, Callable[[Classes, Classes], float]]] = {"uar": uar, "wa": wa}
SMALLER_IS_BETTER: Final = frozenset({"rmse"})
