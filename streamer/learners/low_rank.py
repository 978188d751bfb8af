"""A large symmetric matrix with cheap rank-one updates."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.types import Matrix, Vector

PENDING: Final = 32
_ROWS: Final = 128
_MOST_CANCELLED: Final = 1e6


class LowRank:
    """B - U'U with B symmetric, [d, d], and U the pending rows, [m, d].

    A rank-one update of B itself would read and write all of it for one multiplication a number.
    Here it is one more row of U; `PENDING` rows are added to B by one matrix product. The result is
    the same to rounding. The times of these products depend on the updates only, not on reads
    between them, so equal updates give equal bits.
    """

    def __init__(self, base: Matrix) -> None:
        """base: float64 [d, d], symmetric; it is modified, not copied."""
        self.base = base
        self.pending = 0
        self._rows = np.zeros((PENDING, len(base)))

    def matrix(self) -> Matrix:
        rows = self._rows[: self.pending]
        return self.base - rows.T @ rows

    def times(self, vector: Vector) -> Vector:
        """The matrix times a vector [d], [d]."""
        rows = self._rows[: self.pending]
        return np.asarray(self.base @ vector - (rows @ vector) @ rows)

    def quadratic(self, vectors: Matrix) -> Vector:
        """x'(B - U'U)x: a number for [d], float64 [n] for [n, d]; below 0 only by rounding: 0."""
        if np.ndim(vectors) == 1:
            return np.asarray(np.maximum(vectors @ self.times(vectors), 0.0))
        within = np.einsum("nd,nd->n", vectors @ self.base, vectors)
        lost = vectors @ self._rows[: self.pending].T
        return np.asarray(np.maximum(within - np.einsum("nm,nm->n", lost, lost), 0.0))

    def subtract(self, row: Vector, vector: Vector, left: float) -> bool:
        """Take row row' off, row float64 [d]. True when `fold` is due, before the next.

        vector: [d], the one for whose sake it is done, of which x'(B - U'U)x = left is left. Where
        that is far less than x'Bx, their difference would lose too many digits the next time.
        """
        self._rows[self.pending] = row
        self.pending += 1
        lost = self._rows[: self.pending] @ vector
        return self.pending == PENDING or bool(lost @ lost > _MOST_CANCELLED * left)

    def fold(self) -> None:
        """Add the pending rows to the base, in blocks that fit into the cache."""
        rows = self._rows[: self.pending]
        for low in range(0, len(self.base), _ROWS):
            self.base[low : low + _ROWS] -= rows[:, low : low + _ROWS].T @ rows
        self.pending = 0

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {"base": self.base.copy(), "rows": self._rows[: self.pending].copy()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls(np.array(arrays["base"]))
        restored.pending = len(arrays["rows"])
        restored._rows[: restored.pending] = arrays["rows"]
        return restored
