"""Limits on questions: a number per hour, day or session, and quiet hours."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from streamer.errors import UsageError

PERIODS: Final = ("session", "hour", "day")
_AMOUNT = re.compile(rf"(\d{{1,6}})/({'|'.join(PERIODS)})")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Budget:
    """At most a number of questions in a period, and none in quiet hours.

    Parameters
    ----------
    most : float
        Questions in a period; infinite for no limit.
    period : str
        "session", "hour" (the last 60 minutes) or "day" (since midnight, local time).
    quiet : pair of int or None
        Minutes since midnight, local time, from which and until which nothing is asked; the end
        may lie on the next day.
    """

    most: float = math.inf
    period: str = "session"
    quiet: tuple[int, int] | None = None

    @classmethod
    def parse(cls, ask_at_most: str = "", quiet: str = "") -> Self:
        """From "20/day" and "22:00-07:00"; "" for no limit. Raises UsageError.

        >>> Budget.parse("20/day", "22:00-07:00")
        Budget(most=20, period='day', quiet=(1320, 420))
        """
        most, period, hours = math.inf, "session", None
        if ask_at_most:
            amount = _AMOUNT.fullmatch(ask_at_most)
            if amount is None:
                raise UsageError(f"ask at most {ask_at_most!r}: give a number and a period: 20/day")
            most, period = int(amount[1]), amount[2]
        if quiet:
            times = _HOURS.fullmatch(quiet)
            if times is None:
                raise UsageError(f"quiet hours {quiet!r}: give two times of day: 22:00-07:00")
            first, last = (60 * int(times[k]) + int(times[k + 1]) for k in (1, 3))
            hours = first, last
        return cls(most, period, hours)

    def left(self, now: datetime, session_asked: int, asked_since: Callable[[float], int]) -> float:
        """How many questions may be asked now, >= 0.

        Parameters
        ----------
        now
            Local time.
        session_asked
            Questions of this session so far.
        asked_since
            How many questions were asked since a time, in seconds since 1970.
        """
        if self.is_quiet(now):
            return 0.0
        if math.isinf(self.most):
            return math.inf
        if self.period == "session":
            return max(self.most - session_asked, 0.0)
        begin = now - timedelta(hours=1)
        if self.period == "day":
            begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return max(self.most - asked_since(begin.timestamp()), 0.0)

    def frees_up(self, now: datetime) -> bool:
        """Whether questions that may not be asked now may be later: in this hour, or after quiet.

        Those of a day or a session are not: the next has its own, of what is said then.
        """
        return self.period == "hour" or self.is_quiet(now)

    def is_quiet(self, now: datetime) -> bool:
        """Whether the time of day lies in the quiet hours."""
        if self.quiet is None:
            return False
        first, last = self.quiet
        minute = 60 * now.hour + now.minute
        return first <= minute < last if first < last else minute >= first or minute < last


UNLIMITED: Final = Budget()
