"""Running normalization against a plain loop, and what it promises of new voices and outliers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.learners.normalization import (
    LIMIT,
    MEMORY,
    NEW_FROM,
    PRIOR_WEIGHT,
    RECENT,
    RunningNormalization,
)


def plain_weighted_moments(mean, deviation, vectors):
    """Mean and variance of weighted observations, one feature at a time.

    The population is one point of weight PRIOR_WEIGHT with its variance; each vector weighs what
    it differs from the nearest of the last RECENT; all that came before shrinks so that the total
    never exceeds MEMORY.
    """
    shares = [1.0]
    for at in range(1, len(vectors)):
        before = vectors[max(0, at - RECENT) : at]
        apart = ((vectors[at] - before) ** 2 / (2 * deviation**2)).mean(axis=1)
        shares.append(min(apart.min() / NEW_FROM, 1.0))
    means, variances = [], []
    for feature in range(len(mean)):
        points = [(PRIOR_WEIGHT, mean[feature], deviation[feature] ** 2)]
        for vector, share in zip(vectors, shares, strict=False):
            total = sum(weight for weight, _, _ in points) + share
            shrink = min(1.0, (MEMORY - share) / (total - share))
            points = [(weight * shrink, at, spread) for weight, at, spread in points]
            points.append((share, vector[feature], 0.0))
        total = sum(weight for weight, _, _ in points)
        average = sum(weight * at for weight, at, _ in points) / total
        around = sum(weight * ((at - average) ** 2 + spread) for weight, at, spread in points)
        means.append(average)
        variances.append(around / total)
    return np.array(means), np.array(variances)


@pytest.mark.parametrize("count", [0, 1, 2, 30, int(MEMORY) + 80])
def test_equals_weighted_moments_of_everything_heard(count):
    rng = np.random.default_rng(count)
    mean, deviation = rng.normal(size=3), rng.uniform(0.5, 2.0, 3)
    vectors = rng.normal(5.0, 1.5, (count, 3))
    usual = RunningNormalization(mean, deviation)
    for vector in vectors:
        usual.update(vector)
    expected_mean, expected_variance = plain_weighted_moments(mean, deviation, vectors)
    np.testing.assert_allclose(usual.mean, expected_mean, rtol=0, atol=1e-10)
    np.testing.assert_allclose(usual.variance, expected_variance, rtol=1e-10)
    assert usual.count == count


def test_before_anything_was_heard_scores_are_those_of_the_population():
    usual = RunningNormalization([1.0, -2.0], [2.0, 0.5])
    np.testing.assert_allclose(usual.apply(np.array([3.0, -2.25])), [1.0, -0.5])


def test_a_new_microphone_is_adapted_to():
    rng = np.random.default_rng(0)
    usual = RunningNormalization(np.zeros(4), np.ones(4))
    for vector in rng.normal(0.0, 1.0, (2_000, 4)):
        usual.update(vector)
    moved = rng.normal(10.0, 3.0, (3_000, 4))
    for vector in moved:
        usual.update(vector)
    scores = usual.apply(moved[-400:])
    assert np.abs(scores.mean(axis=0)).max() < 0.35
    assert np.abs(scores.std(axis=0) - 1.0).max() < 0.25


def test_an_outlier_is_cut_and_a_constant_feature_stays_finite():
    usual = RunningNormalization([0.0, 0.0], [1.0, 0.0])
    for value in np.random.default_rng(0).normal(0.0, 3.0, 3_000):
        usual.update(np.array([value, 7.0]))
    scores = usual.apply(np.array([1e30, 7.0 + 1e-9]))
    assert scores[0] == LIMIT
    assert abs(scores[1]) < 0.2
    assert (usual.variance >= 0.0).all()


def test_rows_are_scored_as_if_alone_and_nothing_changes():
    rng = np.random.default_rng(1)
    usual = RunningNormalization(rng.normal(size=5), rng.uniform(0.5, 2.0, 5))
    usual.update(rng.normal(size=5))
    before = {name: array.copy() for name, array in usual.to_arrays().items()}
    rows = rng.normal(size=(7, 5))
    alone = np.stack([usual.apply(row) for row in rows])
    assert np.array_equal(usual.apply(rows), alone)
    assert all(np.array_equal(array, before[name]) for name, array in usual.to_arrays().items())


@given(st.lists(st.floats(-(2.0**127), 2.0**127, width=32), min_size=1, max_size=20))
def test_whatever_a_float32_can_hold_the_scores_are_finite(values):
    usual = RunningNormalization([0.0], [1.0])
    for value in values:
        usual.update(np.array([value], np.float64))
        scores = usual.apply(np.array([[value], [-value], [0.0]], np.float64))
        assert np.isfinite(scores).all()
        assert np.abs(scores).max() <= LIMIT


def test_the_same_utterance_again_and_again_changes_nothing():
    rng = np.random.default_rng(3)
    usual = RunningNormalization(np.zeros(40), np.ones(40))
    for vector in rng.normal(size=(5, 40)):
        usual.update(vector)
    again = rng.normal(size=40)
    usual.update(again)
    before = usual.apply(again)
    for _ in range(50):
        usual.update(again)
    np.testing.assert_allclose(usual.apply(again), before, rtol=0, atol=1e-12)
    assert usual.count == 56


def test_other_utterances_count_in_full():
    rng = np.random.default_rng(3)
    usual = RunningNormalization(np.zeros(40), np.ones(40))
    for vector in rng.normal(size=(60, 40)):
        usual.update(vector)
    assert usual.weight > 59.0
