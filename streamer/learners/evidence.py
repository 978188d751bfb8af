"""The evidence of a grid of prior strengths on the same labels."""

from collections.abc import Mapping
from math import lgamma, log, pi
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.low_rank import PENDING
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression
from streamer.types import Matrix, Vector

STRENGTHS: Final = tuple(float(s) for s in 10.0 ** np.arange(-2.0, 2.01, 0.25))


class StrengthBank:
    """Exact `BayesianRegression` for any strength of the prior, from shared moments.

    Its state is the moments, which do not depend on the strength: X'X, X'R and R'R with R = Y - X
    W0. One eigendecomposition of X'X then gives evidence and posterior for any strength in O(d)
    (Bishop 2006, section 3.5, with the noise integrated out).

    The evidence p(Y | X, strength) is the product of the densities with which each label was
    predicted before it was learned (Dawid 1984): the strength of the most evidence is the one
    with the least prequential log loss.

    weights: float64 [d, k], the prior mean. noise: float64 [k], > 0.
    """

    def __init__(self, weights: Matrix, noise: Vector) -> None:
        size, targets = weights.shape
        self.prior: Matrix = np.array(weights, np.float64)
        self.noise: Vector = np.array(noise, np.float64)
        self.count = 0
        self._scatter: Matrix = np.zeros((size, size))
        self._product: Matrix = np.zeros((size, targets))
        self._squares: Vector = np.zeros(targets)
        self._recent: list[Vector] = []

    def learn(self, inputs: Vector, targets: Vector) -> None:
        """Add one label, [d] and [k], to the moments; a d x d product every few labels."""
        rest = targets - inputs @ self.prior
        self._product += np.multiply.outer(inputs, rest)
        self._squares += rest * rest
        self.count += 1
        self._recent.append(np.array(inputs, np.float64))
        if len(self._recent) == PENDING:
            recent = np.stack(self._recent)
            self._scatter += recent.T @ recent
            self._recent = []

    def log_evidence(self, strengths: Vector) -> Vector:
        """log p(Y | X, strength), summed over the targets, float64 [g] for strengths [g], > 0."""
        values, vectors = self._decomposed()
        return self._log_evidence(strengths, values, vectors.T @ self._product)

    def best(self, strengths: Vector | None = None) -> float:
        """The strength of the most evidence among these, or among `STRENGTHS`."""
        grid = np.array(STRENGTHS) if strengths is None else strengths
        return float(grid[int(np.argmax(self.log_evidence(grid)))])

    def regression(self, strength: float) -> BayesianRegression:
        """The regression of this strength that has learned the same labels, to rounding."""
        values, vectors = self._decomposed()
        shrunk = 1.0 / (values + strength)
        turned = vectors.T @ self._product
        return BayesianRegression.from_posterior(
            strength=strength,
            noise=self.noise,
            weights=self.prior + vectors @ (shrunk[:, np.newaxis] * turned),
            covariance=(vectors * shrunk) @ vectors.T,
            residual=self._residual(np.array([strength]), values, turned)[0],
            count=self.count,
        )

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "prior": self.prior.copy(),
            "noise": self.noise.copy(),
            "count": np.array([self.count], np.float64),
            "scatter": self._scatter.copy(),
            "product": self._product.copy(),
            "squares": self._squares.copy(),
            "recent": np.array(self._recent).reshape(-1, len(self.prior)),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls(arrays["prior"], arrays["noise"])
        restored.count = int(arrays["count"][0])
        restored._scatter = np.array(arrays["scatter"])
        restored._product = np.array(arrays["product"])
        restored._squares = np.array(arrays["squares"])
        restored._recent = list(np.array(arrays["recent"]))
        return restored

    def _decomposed(self) -> tuple[Vector, Matrix]:
        """Eigenvalues, >= 0, and eigenvectors of X'X."""
        recent = np.array(self._recent).reshape(-1, len(self.prior))
        values, vectors = np.linalg.eigh(self._scatter + recent.T @ recent)
        return np.maximum(values, 0.0), np.asarray(vectors)

    def _residual(self, strengths: Vector, values: Vector, turned: Matrix) -> Matrix:
        """Twice the scale of the posterior inverse gamma, [g, k]."""
        explained = (1.0 / np.add.outer(strengths, values)) @ (turned * turned)
        begun = NOISE_WEIGHT * self.noise**2
        # What is left cannot be less than what the prior put in, however exact the fit.
        return np.asarray(np.maximum(self._squares - explained, 0.0) + begun)

    def _log_evidence(self, strengths: Vector, values: Vector, turned: Matrix) -> Vector:
        weight = NOISE_WEIGHT + self.count
        residual = self._residual(strengths, values, turned)
        # log |strength I| - log |X'X + strength I|
        narrowed = -np.log1p(values / strengths[:, np.newaxis]).sum(axis=1)
        begun = NOISE_WEIGHT * np.log(NOISE_WEIGHT * self.noise**2)
        once = 2.0 * (lgamma(weight / 2) - lgamma(NOISE_WEIGHT / 2)) - self.count * log(pi)
        each = 0.5 * (narrowed[:, np.newaxis] + begun - weight * np.log(residual) + once)
        return np.asarray(each.sum(axis=1))
