"""Agreement between predictions and labels."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from streamer.types import Vector


class RunningAgreement:
    """CC, CCC and RMSE of prediction and truth, one pair at a time, in six numbers.

    The concordance correlation coefficient (Lin 1989, equation 3) is
    CCC = 2 cov(p, t) / (var(p) + var(t) + (mean(p) - mean(t))^2), in [-1, 1].
    Moments are updated by Welford's method; population moments, as in Lin.
    """

    def __init__(self) -> None:
        self._moments = np.zeros(7)

    def observe(self, prediction: float, truth: float) -> None:
        count, mean_p, mean_t, square_p, square_t, product, error = self._moments
        count += 1.0
        off_p, off_t = prediction - mean_p, truth - mean_t
        mean_p += off_p / count
        mean_t += off_t / count
        square_p += off_p * (prediction - mean_p)
        square_t += off_t * (truth - mean_t)
        product += off_p * (truth - mean_t)
        error += (prediction - truth) ** 2
        self._moments = np.array([count, mean_p, mean_t, square_p, square_t, product, error])

    @property
    def count(self) -> int:
        return int(self._moments[0])

    @property
    def ccc(self) -> float | None:
        """None before two pairs, or while prediction and truth are both constant and equal."""
        count, mean_p, mean_t, square_p, square_t, product, _ = self._moments
        spread = square_p + square_t + count * (mean_p - mean_t) ** 2
        return float(2.0 * product / spread) if count >= 2 and spread > 0 else None

    @property
    def cc(self) -> float | None:
        """Pearson's correlation; None before two pairs or while either side is constant."""
        count, _, _, square_p, square_t, product, _ = self._moments
        spread = np.sqrt(square_p * square_t)
        return float(product / spread) if count >= 2 and spread > 0 else None

    @property
    def rmse(self) -> float | None:
        count, error = self._moments[0], self._moments[6]
        return float(np.sqrt(error / count)) if count else None

    def to_arrays(self) -> dict[str, Vector]:
        return {"moments": self._moments}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Vector]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls()
        restored._moments = np.array(arrays["moments"])
        return restored


def concordance_cc(prediction: Vector, truth: Vector) -> float | None:
    """CCC of two float arrays [n] (Lin 1989); None where it is not defined.

    >>> concordance_cc(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    1.0
    """
    agreement = RunningAgreement()
    for one, other in zip(prediction, truth, strict=True):
        agreement.observe(float(one), float(other))
    return agreement.ccc
