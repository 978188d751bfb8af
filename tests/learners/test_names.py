"""Names survive as numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.learners.names import decode_names, encode_names


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_names_come_back(names):
    points = encode_names(names)
    assert points.dtype == np.float64
    assert points.shape[0] == len(names)
    assert decode_names(points) == tuple(names)
