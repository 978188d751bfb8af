"""Whether an emotion's utterances agree, against plain numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from streamer.learners.cohesion import cohesion, error_rates


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_distances_are_to_the_mean_of_the_others(count, seed):
    rng = np.random.default_rng(seed)
    vectors, usual = rng.normal(size=(count, 5)), rng.normal(size=5)
    found = cohesion(vectors, usual)
    for at in range(count):
        others = np.delete(vectors, at, axis=0).mean(axis=0) - usual
        assert found.distances[at] == pytest.approx(cosine(vectors[at] - usual, others))
    assert 0.0 <= found.cohesion <= 1.0
    assert found.cohesion == pytest.approx(np.clip(1 - found.distances.mean(), 0, 1))


def test_the_one_that_points_elsewhere_stands_apart():
    rng = np.random.default_rng(1)
    close = np.array([4.0, 0.0, 0.0]) + 0.3 * rng.normal(size=(9, 3))
    assert cohesion(close, np.zeros(3)).apart == []
    assert cohesion(np.vstack([close, [-3.0, 1.0, 0.0]]), np.zeros(3)).apart == [9]


def test_one_or_none_says_nothing():
    assert cohesion(np.zeros((0, 3)), np.zeros(3)).cohesion is None
    assert cohesion(np.ones((1, 3)), np.zeros(3)).cohesion is None


def test_rates_count_the_own_that_are_refused_and_the_others_that_are_let_in():
    own = np.array([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]])
    others = [np.array([[1.0, 0.05], [0.0, 1.0]]), np.array([[0.0, -1.0], [-1.0, 0.2]])]
    mean = np.array([1.0, 0.0])
    accepted, rejected = error_rates(own, others, mean, 0.5, np.zeros(2))
    assert accepted == 0.25
    # Each of the first two is compared with the sum of the other and the odd one, (0, 0.1) and
    # (0, 0): at right angles, so all are refused.
    assert rejected == 1.0
    assert error_rates(own[:1], [], mean, 0.5, np.zeros(2)) == (None, None)
