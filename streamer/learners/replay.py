"""The inputs learned so far, in order."""

from typing import Final

import numpy as np

from streamer.types import Matrix, Vector

_FIRST_ROOM: Final = 16


class ReplayBuffer:
    """Rows of float64 [d], in the order in which they came; adding one takes O(d)."""

    def __init__(self, rows: Matrix) -> None:
        self._room = np.array(rows, np.float64)
        self.count = len(rows)

    @property
    def rows(self) -> Matrix:
        """All of them, [n, d]: a view, not to be written to."""
        return self._room[: self.count]

    def add(self, row: Vector) -> None:
        if self.count == len(self._room):
            more = np.zeros((max(_FIRST_ROOM, self.count), self._room.shape[1]))
            self._room = np.concatenate([self._room, more])
        self._room[self.count] = row
        self.count += 1
