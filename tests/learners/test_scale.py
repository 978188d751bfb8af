"""Squashing guesses onto the scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.learners.scale import ORDER, squash, squash_one


def test_it_is_the_algebraic_sigmoid():
    y = np.linspace(-4.0, 4.0, 401)
    np.testing.assert_allclose(squash(y), y / (1 + np.abs(y) ** ORDER) ** (1 / ORDER), atol=1e-15)


def test_guesses_well_inside_the_scale_stay_what_they_are():
    y = np.linspace(-0.5, 0.5, 101)
    assert np.abs(squash(y) - y).max() < 0.01


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_regression_says_lies_on_the_scale(value):
    squashed = float(squash(value))
    assert -1.0 <= squashed <= 1.0
    assert abs(squash_one(value) - squashed) <= 1e-15
    assert squashed == -float(squash(-value))


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0))
def test_the_order_is_kept(some, other):
    low, high = sorted([some, other])
    assert squash(low) <= squash(high)
