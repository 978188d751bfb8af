"""Transfer component analysis and balanced distribution adaptation, in numpy.

A source corpus has labels, the target has none yet, and the two are distributed differently.
Both methods look for a projection A in which the two sides agree while the variance of all rows
is kept. With X the rows of both sides [n, d] (or their kernel values [n, n]), H = I - 11'/n and

    M_0 = e e',      e_i = 1/n_s for source rows, -1/n_t for target rows
    M_c = e_c e_c',  the same over the rows of class c alone; 0 where a side has none of them

A has the m eigenvectors of the smallest phi in

    (X'M X + l I) a = phi X'H X a

M is M_0 in transfer component analysis (TCA), and (1 - b) M_0 + b sum_c M_c, divided by its
Frobenius norm, in balanced distribution adaptation (BDA). The classes of the target's rows are
those that a classifier of the source gives them, renewed after each projection.

Every M is a sum of e e', so that X'M X is a sum of g g' with g = X'e: no n x n matrix is formed
for the linear kernel, and one solution costs O(n d^2 + d^3).

The eigenproblem is solved by numpy alone: l > 0 makes the left matrix positive definite, so its
Cholesky factor L turns the problem into the ordinary one of L^-1 X'H X L^-T.

References
----------
Pan, Tsang, Kwok and Yang (2011), "Domain adaptation via transfer component analysis", IEEE
Transactions on Neural Networks 22, section III.
Wang, Chen, Hao, Feng and Shen (2017), "Balanced distribution adaptation for transfer learning",
ICDM, equations 5-10.
Xu, Jiang and Wu (2024), "Cross-task inconsistency based active learning (CTIAL) for emotion
recognition", sections 2.6 and 5.3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.clustering import squared_distances
from streamer.types import Matrix, Vector

Classes = NDArray[np.intp]
Classify = Callable[[Matrix, Classes, Matrix], Classes]
"""Source rows [n_s, m], their classes [n_s] and target rows [n_t, m] -> the target's classes."""

KERNELS: Final = ("linear", "rbf")
TCA_COMPONENTS: Final = 30
BDA_COMPONENTS: Final = 40
BDA_ITERATIONS: Final = 10
BALANCES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PENALTY: Final = 1.0
# A kernel matrix of more rows takes longer than a minute and more than 100 MB.
MOST_KERNEL_ROWS: Final = 3_000
_TINY: Final = float(np.finfo(float).tiny)
# Directions with less of the variance than this, relative to the largest, are rounding.
_LEAST_VARIANCE: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """A projection into the subspace in which source and target agree.

    axes: float64 [p, m]. basis: the rows [n, d] whose kernel values are projected, None for the
    linear kernel, for which p = d. width: the mean squared distance of the RBF kernel.
    What comes out is uncorrelated over the rows that it was fitted to, with variances in proportion
    to 1/phi whose mean is 1. (The papers leave the scale open. With variance 1 in every dimension,
    the last of them weigh too much: on five pairs of corpora, TCA recalls .42 of four emotions so,
    .52 with these variances.)
    """

    axes: Matrix
    basis: Matrix | None = None
    width: float = 1.0

    def __call__(self, rows: Matrix) -> Matrix:
        """float64 [n, m] for [n, d]."""
        return np.asarray(self._features(rows) @ self.axes)

    def _features(self, rows: Matrix) -> Matrix:
        if self.basis is None:
            return rows
        return np.asarray(np.exp(-squared_distances(rows, self.basis) / self.width))


@dataclass(frozen=True, slots=True, eq=False)
class BalancedAdaptation:
    """What BDA found: the projection, the balance b, and the target's classes, int [n_t]."""

    adaptation: Adaptation
    balance: float
    classes: Classes


def tca(
    source: Matrix,
    target: Matrix,
    components: int = TCA_COMPONENTS,
    penalty: float = PENALTY,
    kernel: str = KERNELS[0],
) -> Adaptation:
    """Transfer component analysis of source [n_s, d] and target [n_t, d], float64.

    Parameters
    ----------
    source, target
        Standard scores. Neither may be empty.
    components
        m, at most; fewer where the rows have fewer dimensions.
    penalty
        l > 0. Smaller: the means of both sides agree more exactly.
    kernel
        "linear", or "rbf" up to 3,000 rows of both sides together.

    Raises
    ------
    UsageError
        For an empty side, a penalty of 0 or less, another kernel, or too many rows for it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.standard_normal((100, 5))
    >>> shifted = rng.standard_normal((80, 5)) + 3.0
    >>> adapted = tca(rows, shifted, components=4)
    >>> bool(np.abs(adapted(rows).mean(0) - adapted(shifted).mean(0)).max() < 0.1)
    True
    """
    problem = _Problem.of(source, target, penalty, kernel)
    return problem.solve(problem.gap()[:, np.newaxis], components)


def bda(
    source: Matrix,
    classes: Classes,
    target: Matrix,
    classify: Classify,
    components: int = BDA_COMPONENTS,
    penalty: float = PENALTY,
    kernel: str = KERNELS[0],
    iterations: int = BDA_ITERATIONS,
    balances: Sequence[float] = BALANCES,
) -> BalancedAdaptation:
    """Balanced distribution adaptation; the balance is the one that leaves the smallest distance.

    Parameters
    ----------
    source, target
        float64 [n_s, d] and [n_t, d], standard scores.
    classes
        int [n_s], those of the source, counted from 0.
    classify
        Fits a classifier to projected source rows and gives the classes of projected target rows.
    components, penalty, kernel
        As `tca`.
    iterations
        Projections, each with the classes that the one before gave.
    balances
        b, each in [0, 1], in the order in which they are tried; of equally good ones, the first.
        The measure is the distance of the two sides' means in the projected space, plus that of
        the means of each class.

    Raises
    ------
    UsageError
        As `tca`, and for a balance outside [0, 1] or none at all.
    """
    if not balances or not all(0.0 <= balance <= 1.0 for balance in balances):
        raise UsageError(f"balances = {list(balances)}: give one or several, each from 0 to 1")
    problem = _Problem.of(source, target, penalty, kernel)
    start = classify(source, classes, target)
    best: tuple[float, BalancedAdaptation] | None = None
    for balance in balances:
        guessed = start
        for _ in range(max(1, iterations)):
            adaptation = problem.solve(problem.balanced(balance, classes, guessed), components)
            rows, others = adaptation(source), adaptation(target)
            guessed = classify(rows, classes, others)
        distance = discrepancy(rows, classes, others, guessed)
        if best is None or distance < best[0]:
            best = distance, BalancedAdaptation(adaptation, balance, guessed)
    assert best is not None
    return best[1]


def discrepancy(source: Matrix, classes: Classes, target: Matrix, guessed: Classes) -> float:
    """Distance of the means of [n_s, m] and [n_t, m], plus that of each class on both sides.

    >>> rows = np.array([[0.0], [2.0]])
    >>> discrepancy(rows, np.array([0, 1]), rows + 1.0, np.array([0, 1]))
    3.0
    """
    parts = [float(np.linalg.norm(source.mean(axis=0) - target.mean(axis=0)))]
    for kind in np.intersect1d(classes, guessed):
        apart = source[classes == kind].mean(axis=0) - target[guessed == kind].mean(axis=0)
        parts.append(float(np.linalg.norm(apart)))
    return sum(parts)


def principal_axes(rows: Matrix, part: float = 0.9) -> tuple[Vector, Matrix]:
    """Mean [d] and the fewest principal axes [d, m] that hold `part` of the variance of [n, d].

    >>> mean, axes = principal_axes(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.1]]))
    >>> axes.shape
    (2, 1)
    """
    mean = rows.mean(axis=0)
    centred = rows - mean
    values, axes = np.linalg.eigh(centred.T @ centred)
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
    total = values.sum()
    if total <= 0.0:
        return mean, np.asarray(axes[:, :1])
    kept = int(np.searchsorted(np.cumsum(values), part * total * (1.0 - 1e-12))) + 1
    return mean, np.asarray(axes[:, : min(kept, len(values))])


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Both sides' rows or kernel values [n, p], how many are the source's, and X'H X."""

    features: Matrix
    sources: int
    penalty: float
    scatter: Matrix
    basis: Matrix | None
    width: float

    @classmethod
    def of(cls, source: Matrix, target: Matrix, penalty: float, kernel: str) -> "_Problem":
        if not len(source) or not len(target):
            raise UsageError(
                f"{len(source)} source and {len(target)} target rows: give at least one of each"
            )
        if not penalty > 0.0:
            raise UsageError(f"penalty = {penalty}: give a number above 0")
        if kernel not in KERNELS:
            raise UsageError(f"kernel {kernel!r}: choose {' or '.join(KERNELS)}")
        rows = np.concatenate([source, target])
        basis, width = None, 1.0
        if kernel == "rbf":
            if len(rows) > MOST_KERNEL_ROWS:
                raise UsageError(
                    f"{len(rows)} rows are too many for the rbf kernel: "
                    f"give at most {MOST_KERNEL_ROWS}, or take the linear one"
                )
            apart = squared_distances(rows, rows)
            basis, width = rows, float(apart.mean()) or 1.0
            rows = np.exp(-apart / width)
        centred = rows - rows.mean(axis=0)
        return cls(rows, len(source), penalty, centred.T @ centred, basis, width)

    def gap(self) -> Vector:
        """X'e of M_0: the difference of the two sides' means, [p]."""
        side = self.features[: self.sources], self.features[self.sources :]
        return np.asarray(side[0].mean(axis=0) - side[1].mean(axis=0))

    def balanced(self, balance: float, classes: Classes, guessed: Classes) -> Matrix:
        """Columns g [p, k] whose g g' sum to X'M X of BDA."""
        counts = self.sources, len(self.features) - self.sources
        overall = np.concatenate([np.full(counts[0], 1.0 / counts[0]),
                                  np.full(counts[1], -1.0 / counts[1])])  # fmt: skip
        weights = [np.sqrt(1.0 - balance) * overall]
        for kind in np.intersect1d(classes, guessed):
            own, other = classes == kind, guessed == kind
            row = np.concatenate([own / own.sum(), -(other / other.sum())])
            weights.append(np.sqrt(balance) * row)
        each = np.array(weights)
        # |sum_k e_k e_k'|^2 = sum_kl (e_k.e_l)^2
        norm = float(np.linalg.norm(each @ each.T))
        return np.asarray(self.features.T @ each.T / np.sqrt(norm or 1.0))

    def solve(self, gaps: Matrix, components: int) -> Adaptation:
        """The projection for X'M X = sum g g', g the columns of [p, k]."""
        left = gaps @ gaps.T
        left[np.diag_indices_from(left)] += self.penalty
        factor = np.linalg.cholesky(left)
        half = np.linalg.solve(factor, self.scatter)
        whitened = np.linalg.solve(factor, half.T)
        values, vectors = np.linalg.eigh((whitened + whitened.T) / 2.0)
        # The smallest phi are the largest 1/phi, which are these values.
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = min(max(1, components), int((values > _LEAST_VARIANCE * values[0]).sum()) or 1)
        axes = np.linalg.solve(factor.T, vectors[:, :kept])
        # a'(X'M X + l I)a = 1 leaves a variance of 1/phi: what agrees best stays the loudest.
        scale = np.sqrt(len(self.features) / max(float(values[:kept].mean()), _TINY))
        return Adaptation(np.asarray(axes * scale), self.basis, self.width)
