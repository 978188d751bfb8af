"""Names as arrays of numbers, the only form in which learned state is stored."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_END = -1.0


def encode_names(names: Sequence[str]) -> NDArray[np.float64]:
    """Unicode code points, float64 [names, longest], -1 after the end of each.

    >>> encode_names(["joy", "ok"])
    array([[106., 111., 121.],
           [111., 107.,  -1.]])
    """
    longest = max(map(len, names), default=0)
    rows = [[*map(float, map(ord, name)), *[_END] * (longest - len(name))] for name in names]
    return np.array(rows, np.float64).reshape(len(names), longest)


def decode_names(points: NDArray[np.float64]) -> tuple[str, ...]:
    """The inverse of `encode_names`.

    >>> decode_names(encode_names(["joy", "", "ärger"]))
    ('joy', '', 'ärger')
    """
    return tuple("".join(chr(int(p)) for p in row if p != _END) for row in points)
