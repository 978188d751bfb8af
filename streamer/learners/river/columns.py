"""Where river's features, which come by name, lie in an array."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from streamer.types import Vector


class Columns:
    """The names seen so far, in the order in which they came; theirs are the columns after `first`.

    first: columns that are kept for something else, and are 1.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._names: tuple[Any, ...] = ()
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        return self._first + len(self._names)

    def __contains__(self, name: Any) -> bool:
        return name in self._places

    def grow(self, x: Mapping[Any, Any]) -> int:
        """Give a column to each name in `x` not seen before; how many there were."""
        # Most often the same names come in the same order: one comparison of identities.
        if tuple(x) == self._names:
            return 0
        new = [name for name in x if name not in self._places]
        self._places.update({name: len(self) + i for i, name in enumerate(new)})
        self._names += tuple(new)
        return len(new)

    def inputs(self, x: Mapping[Any, Any]) -> Vector:
        """The values of `x` in their columns, float64 [len]; 0 where one is missing."""
        inputs = np.zeros(len(self))
        inputs[: self._first] = 1.0
        if tuple(x) == self._names:
            inputs[self._first :] = np.fromiter(x.values(), np.float64, len(x))
            return inputs
        for name, value in x.items():
            place = self._places.get(name)
            if place is not None:
                inputs[place] = value
        return inputs
