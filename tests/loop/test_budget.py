"""Budgets and quiet hours: by the clock, over midnight, and what cannot be one."""

import math
from datetime import datetime

import pytest

from streamer.errors import UsageError
from streamer.loop.budget import Budget

NOON = datetime(2026, 3, 4, 12, 30)


def never(moment):
    raise AssertionError("nothing is to be counted")


def test_without_one_anything_may_be_asked():
    assert Budget.parse().left(NOON, 10_000, never) == math.inf


@pytest.mark.parametrize(("asked", "left"), [(0, 5), (3, 2), (5, 0), (9, 0)])
def test_of_a_session_by_what_it_asked(asked, left):
    assert Budget.parse("5/session").left(NOON, asked, never) == left


@pytest.mark.parametrize(
    ("text", "begin"),
    [("20/day", datetime(2026, 3, 4)), ("20/hour", datetime(2026, 3, 4, 11, 30))],
)
def test_of_a_period_by_what_was_asked_since_it_began(text, begin):
    def asked_since(moment):
        assert datetime.fromtimestamp(moment) == begin
        return 17

    assert Budget.parse(text).left(NOON, 0, asked_since) == 3


@pytest.mark.parametrize(
    ("quiet", "hour", "minute", "is_quiet"),
    [
        ("22:00-07:00", 22, 0, True),
        ("22:00-07:00", 3, 0, True),
        ("22:00-07:00", 7, 0, False),
        ("22:00-07:00", 21, 59, False),
        ("13:00-14:30", 13, 0, True),
        ("13:00-14:30", 14, 30, False),
        ("", 3, 0, False),
    ],
)
def test_in_quiet_hours_nothing_is_asked(quiet, hour, minute, is_quiet):
    now = NOON.replace(hour=hour, minute=minute)
    left = Budget.parse("", quiet).left(now, 0, never)
    assert left == (0 if is_quiet else math.inf)


@pytest.mark.parametrize(
    ("amount", "quiet", "told"),
    [
        ("20", "", "20/day"),
        ("20/week", "", "20/day"),
        ("-1/day", "", "20/day"),
        ("", "22-7", "22:00-07:00"),
        ("", "24:00-07:00", "22:00-07:00"),
    ],
)
def test_what_cannot_be_one_is_refused_with_an_example(amount, quiet, told):
    with pytest.raises(UsageError, match=told):
        Budget.parse(amount, quiet)


@pytest.mark.parametrize(
    ("amount", "quiet", "frees_up"),
    [
        ("20/hour", "", True),
        ("20/day", "", False),
        ("20/session", "", False),
        ("20/day", "12:00-13:00", True),
        ("20/day", "13:00-14:00", False),
    ],
)
def test_an_hour_moves_on_and_quiet_hours_end_while_a_day_and_a_session_are_used_up(
    amount, quiet, frees_up
):
    assert Budget.parse(amount, quiet).frees_up(NOON) is frees_up
