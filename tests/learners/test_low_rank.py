"""Rank-one updates that wait, against updates at once."""

import numpy as np
import pytest

from streamer.learners.low_rank import PENDING, LowRank

SIZE = 150  # more than is folded in one part


def made(rng):
    half = rng.normal(size=(SIZE, SIZE)) / np.sqrt(SIZE)
    return half @ half.T + 3.0 * np.eye(SIZE)


@pytest.mark.parametrize("updates", [0, 1, PENDING - 1, PENDING, PENDING + 1, 3 * PENDING + 5])
def test_is_the_matrix_with_every_row_taken_off(updates):
    rng = np.random.default_rng(updates)
    plain = made(rng)
    folded = LowRank(plain.copy())
    for _ in range(updates):
        row = rng.normal(size=SIZE) / 50.0
        plain -= np.outer(row, row)
        if folded.subtract(row, row, left=1.0):
            folded.fold()
    vectors = rng.normal(size=(9, SIZE))
    np.testing.assert_allclose(folded.matrix(), plain, rtol=0, atol=1e-12)
    np.testing.assert_allclose(folded.times(vectors[0]), plain @ vectors[0], rtol=0, atol=1e-11)
    forms = np.array([v @ plain @ v for v in vectors])
    np.testing.assert_allclose(folded.quadratic(vectors), forms, rtol=1e-12)
    assert folded.quadratic(vectors[3]) == pytest.approx(forms[3], rel=1e-12)


def test_a_folding_is_due_when_there_are_many_and_when_little_is_left():
    rng = np.random.default_rng(1)
    folded, small = LowRank(made(rng)), np.full(SIZE, 1e-3)
    due = [folded.subtract(small, small, left=1.0) for _ in range(PENDING)]
    assert due == [False] * (PENDING - 1) + [True]
    folded.fold()
    assert folded.pending == 0
    assert folded.subtract(np.ones(SIZE), np.ones(SIZE), left=1e-3)


def test_a_quadratic_form_is_never_below_zero():
    folded = LowRank(np.eye(3))
    folded.subtract(np.array([1.0 + 1e-12, 0.0, 0.0]), np.zeros(3), left=1.0)
    question = np.array([1e8, 0.0, 0.0])
    assert folded.quadratic(question) == 0.0
    assert folded.quadratic(question[np.newaxis]) == 0.0
