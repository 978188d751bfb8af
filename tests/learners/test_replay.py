"""Lessons are kept in order, and apart from what they were given."""

import numpy as np

from streamer.learners.replay import ReplayBuffer


def test_rows_come_back_as_they_came_however_many():
    given = np.random.default_rng(0).normal(size=(70, 3))
    lessons = ReplayBuffer(given[:5])
    for row in given[5:]:
        lessons.add(row)
    assert lessons.count == 70
    assert np.array_equal(lessons.rows, given)


def test_what_was_given_is_not_shared():
    given, row = np.ones((1, 2)), np.ones(2)
    lessons = ReplayBuffer(given)
    lessons.add(row)
    given[:], row[:] = 7.0, 7.0
    assert np.array_equal(lessons.rows, np.ones((2, 2)))
