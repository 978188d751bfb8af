"""The split of a buffer: sizes, order, and the larger half, for any scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamer.core.selection import ask_count, choose

SCORES = arrays(np.float64, st.integers(0, 40), elements=st.floats(-0.5, 0.0))
PART = st.floats(0.0, 1.0)


@given(values=SCORES, keep=PART)
def test_every_utterance_is_asked_or_released_once(values, keep):
    asked, released = choose(values, keep)
    assert sorted(asked + released) == list(range(len(values)))
    assert len(asked) == ask_count(len(values), keep)
    assert all(type(index) is int for index in asked + released)


@given(values=SCORES, keep=PART)
def test_no_released_one_scores_above_an_asked_one(values, keep):
    asked, released = choose(values, keep)
    assert all(values[a] >= values[r] for a in asked for r in released)
    # Highest first; of equal ones the earlier.
    assert asked == sorted(asked, key=lambda index: (-values[index], index))
    assert all(a < r for a in asked for r in released if values[a] == values[r])
    assert released == sorted(released)


@given(size=st.integers(0, 2_000), keep=PART, more=PART)
def test_the_count_is_the_nearest_and_grows_with_the_part(size, keep, more):
    count = ask_count(size, keep)
    assert 0 <= count <= size
    assert abs(count - size * keep) <= 0.5
    assert ask_count(size, max(keep, more)) >= count


@pytest.mark.parametrize(
    ("size", "keep", "count"),
    [(10, 0.5, 5), (7, 0.5, 4), (1, 0.5, 1), (1, 0.49, 0), (9, 0.0, 0), (9, 1.0, 9), (0, 1.0, 0)],
)
def test_halves_are_rounded_up(size, keep, count):
    assert ask_count(size, keep) == count


def test_equal_scores_keep_their_order():
    assert choose(np.full(5, -0.25), 0.5) == ([0, 1, 2], [3, 4])


def test_the_scores_are_not_changed():
    values = np.array([-0.3, -0.1, -0.2])
    choose(values, 0.5)
    assert values.tolist() == [-0.3, -0.1, -0.2]
