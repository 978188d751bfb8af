"""Questions beyond a budget that may be asked yet: they wait, the most informative first.

A budget by the hour has room again as the hour moves on, and quiet hours end. Until then the best
questions that were not asked are kept, in memory only: their audio is written nowhere before they
are asked, and a process that ends lets them go.
"""

from dataclasses import dataclass
from typing import Final

from streamer.types import Samples

# Of any budget, so that a night of talk takes a few megabytes.
MOST_WAITING: Final = 32
# What was said longer ago than that, nobody remembers the occasion of.
LONGEST_WAIT_S: Final = 12 * 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Postponed:
    """A question that the budget did not allow when its buffer was full.

    id: the utterance; score: its informativeness by the strategy; since_s: when, since 1970.
    """

    id: int
    score: float
    audio: Samples
    since_s: float


class WaitingQuestions:
    """The `most` most informative of what is put in, for at most `LONGEST_WAIT_S`.

    Of equally informative ones the newer stays. Methods that make one leave say which did.

    Examples
    --------
    >>> import numpy as np
    >>> waiting = WaitingQuestions(most=2)
    >>> put = [Postponed(number, score, np.zeros(0, np.float32), 0.0)
    ...        for number, score in ((1, 0.2), (2, 0.9), (3, 0.5))]
    >>> [one.id for one in waiting.put(put)]
    [1]
    >>> [one.id for one in waiting.take(1)]
    [2]
    """

    def __init__(self, most: float) -> None:
        self._most = int(min(most, MOST_WAITING))
        self._waiting: list[Postponed] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, questions: list[Postponed]) -> list[Postponed]:
        """Take these in; those for which there is no room, of old and new together, come back."""
        ranked = sorted([*self._waiting, *questions], key=lambda one: (-one.score, -one.id))
        self._waiting = ranked[: self._most]
        return ranked[self._most :]

    def take(self, count: float) -> list[Postponed]:
        """The `count` most informative leave, to be asked."""
        number = int(min(count, len(self._waiting)))
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        return taken

    def take_older(self, moment_s: float) -> list[Postponed]:
        """Those that have waited too long, by the time of day, leave."""
        old = [one for one in self._waiting if moment_s - one.since_s > LONGEST_WAIT_S]
        self._waiting = [one for one in self._waiting if one not in old]
        return old
