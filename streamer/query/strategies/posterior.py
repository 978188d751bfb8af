"""Information about the weights, by the posterior of Bayesian linear regression.

With K the posterior covariance of the outputs of a buffer, in units of the noise variance s2, and
each dimension a model of its own:

    variance    sum over dimensions of s2 (1 + K_jj): the widest prediction. One at a time, this is
                D-optimal design and BALD (Houlsby et al. 2011); a batch holds near copies.
    batchbald   the joint mutual information of a batch S and the weights, 1/2 ln det(I + K_SS),
                taken greedily (Kirsch et al. 2019, algorithm 1; exact here, where they sample):
                D-optimal design of the whole batch.
    evr         expected variance reduction (Cohn, Ghahramani and Jordan 1996): how much less all
                of the buffer would vary, sum_i s2 K_ij^2/(1 + K_jj): I-optimal design, greedily.

All depend on the features and not on the labels, so they prefer outliers.
"""

from collections.abc import Sequence

import numpy as np

from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge, Ranking, Scores, by_chance
from streamer.types import DIMENSIONS, Matrix, Vector

NO_POSTERIOR = "the learner has no posterior covariance"


class WidestPrediction(Ranking):
    """See the module: variance."""

    name = "variance"
    pointwise = True

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._columns = [DIMENSIONS.index(name) for name in dimensions]

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        deviations = knowledge.deviations(features)
        if deviations is None:
            return by_chance(len(features), rng, NO_POSTERIOR)
        values = (deviations[:, self._columns] ** 2).sum(axis=1)
        return Scores(values, "the widest predictions")


class BatchBald(Greedy):
    """See the module: batchbald. Each step adds 1/2 ln(1 + K_jj), K given those taken before."""

    name = "batchbald"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        covariances = covariances_of(features, knowledge, self._dimensions)
        if covariances is None:
            return by_chance(len(features), rng, NO_POSTERIOR)
        models = [Conditioned(covariance) for covariance in covariances]

        def gains() -> Vector:
            return np.asarray(sum(0.5 * np.log1p(model.variances) for model in models))

        def after(index: int) -> Vector:
            for model in models:
                model.take(index)
            return gains()

        return Steps(gains(), "together they tell most about the weights", after)


class VarianceReduction(Greedy):
    """See the module: evr."""

    name = "evr"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        covariances = covariances_of(features, knowledge, self._dimensions)
        deviations = knowledge.deviations(features)
        if covariances is None or deviations is None:
            return by_chance(len(features), rng, NO_POSTERIOR)
        columns = [DIMENSIONS.index(name) for name in self._dimensions]
        models = [
            _Narrowing(covariance, float(deviations[0, column] ** 2 / (1.0 + covariance[0, 0])))
            for column, covariance in zip(columns, covariances, strict=True)
        ]

        def gains() -> Vector:
            return np.asarray(sum(model.gains for model in models))

        def after(index: int) -> Vector:
            for model in models:
                model.take(index)
            return gains()

        return Steps(
            gains(), "their answers would reduce the variance of the predictions most", after
        )


class Conditioned:
    """A Gaussian with covariance [n, n] given some of it, observed with noise of variance 1.

    variances: [n], what is left of the diagonal. The covariance left is K - F'F with a row of F
    for each that is taken, as in a pivoted Cholesky factorization of K + I.
    """

    def __init__(self, covariance: Matrix) -> None:
        self.variances = np.diag(covariance).copy()
        self._covariance = covariance
        self._factors: Matrix = np.zeros((0, len(covariance)))

    def take(self, index: int) -> Vector:
        """Returns the new row f of F, [n]."""
        row = self._covariance[index] - self._factors[:, index] @ self._factors
        factor = row / np.sqrt(1.0 + self.variances[index])
        self._factors = np.concatenate([self._factors, factor[np.newaxis]])
        # Rounding must not make a variance negative.
        self.variances = np.maximum(self.variances - factor**2, 0.0)
        return np.asarray(factor)

    def times(self, vector: Vector) -> Vector:
        """The covariance left, times [n]."""
        return np.asarray(self._covariance @ vector - self._factors.T @ (self._factors @ vector))


class _Narrowing:
    """By how much each answer would narrow all predictions, [n]: sum_i s2 K_ij^2/(1 + K_jj)."""

    def __init__(self, covariance: Matrix, noise: float) -> None:
        self._left = Conditioned(covariance)
        self._noise = noise
        self._squares = np.einsum("ij,ij->j", covariance, covariance)

    @property
    def gains(self) -> Vector:
        return np.asarray(self._noise * self._squares / (1.0 + self._left.variances))

    def take(self, index: int) -> None:
        """With K' = K - ff', sum_i K'_ij^2 = sum_i K_ij^2 - 2 f_j (K'f)_j - f_j^2 f'f."""
        factor = self._left.take(index)
        shared = self._left.times(factor)
        change = 2.0 * factor * shared + factor**2 * (factor @ factor)
        self._squares = np.maximum(self._squares - change, 0.0)


def covariances_of(
    features: Matrix, knowledge: Knowledge, dimensions: Sequence[str]
) -> list[Matrix] | None:
    found = [knowledge.covariance(name, features) for name in dimensions]
    covariances = [covariance for covariance in found if covariance is not None]
    return covariances if len(covariances) == len(dimensions) else None
