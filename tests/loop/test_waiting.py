"""Questions that wait for a budget: which stay, which leave, and when."""

import numpy as np
import pytest

from streamer.loop.waiting import LONGEST_WAIT_S, MOST_WAITING, Postponed, WaitingQuestions


def question(number, score, since_s=0.0):
    return Postponed(number, score, np.zeros(0, np.float32), since_s)


def test_the_most_informative_stay_and_of_equal_ones_the_newer():
    waiting = WaitingQuestions(most=2)
    assert waiting.put([question(1, 0.5), question(2, 0.1)]) == []
    assert [one.id for one in waiting.put([question(3, 0.5), question(4, 0.5)])] == [1, 2]
    assert [one.id for one in waiting.take(5)] == [4, 3]
    assert len(waiting) == 0


def test_they_leave_in_the_order_of_their_informativeness_as_many_as_the_budget_has_room_for():
    waiting = WaitingQuestions(most=5)
    waiting.put([question(n, n / 10) for n in range(5)])
    assert [one.id for one in waiting.take(2)] == [4, 3]
    assert [one.id for one in waiting.take(0)] == []
    assert [one.id for one in waiting.take(float("inf"))] == [2, 1, 0]


def test_nothing_waits_longer_than_half_a_day():
    waiting = WaitingQuestions(most=5)
    waiting.put([question(1, 0.9, since_s=0.0), question(2, 0.1, since_s=60.0)])
    assert waiting.take_older(LONGEST_WAIT_S) == []
    assert [one.id for one in waiting.take_older(LONGEST_WAIT_S + 1.0)] == [1]
    assert len(waiting) == 1


@pytest.mark.parametrize(("most", "stay"), [(0, 0), (3, 3), (float("inf"), MOST_WAITING)])
def test_as_many_wait_as_a_period_allows_and_never_more_than_memory_is_for(most, stay):
    waiting = WaitingQuestions(most)
    waiting.put([question(n, 0.0) for n in range(100)])
    assert len(waiting) == stay
