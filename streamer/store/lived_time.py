"""How old what a profile holds is, by the time that its sessions lived through.

The clock on the wall cannot tell: a board without a battery starts in 1970, another one a month
ahead, and one wrong start must not make everything old. Time goes on with a session's steady
clock, and between sessions with the clock on the wall, where that is later than ever seen before,
but by no more than a day at once. Whoever uses a profile every day sees days of the calendar; what
lies unused for a month ages by a day.
"""

import json
from bisect import bisect_right
from typing import Final

from streamer.store.database import Database, decoding

LONGEST_GAP_S: Final = 86_400.0
_MOST_MARKS: Final = 1_000
_KEY: Final = "lived"


class LivedTime:
    """Kept in the profile, as marks: after so many seconds, that was the newest utterance.

    Ids grow and are never reused, so that a mark tells the age of all utterances up to it. What
    was there before the first mark is as old as that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lived_s = 0.0
        self._latest_wall_s: float | None = None
        self._marks: list[tuple[float, int]] = []
        row = database.row("SELECT value FROM meta WHERE key = ?", _KEY)
        if row is not None:
            with decoding("the age of what is kept"):
                kept = json.loads(row["value"])
                self._lived_s = float(kept["lived_s"])
                self._latest_wall_s = float(kept["latest_wall_s"])
                self._marks = [(float(at_s), int(newest)) for at_s, newest in kept["marks"]]
        self._steady_s: float | None = None

    def advance(self, wall_s: float, steady_s: float) -> None:
        """To now, by both clocks. The steady one begins anew with every process."""
        passed_s = 0.0 if self._steady_s is None else max(0.0, steady_s - self._steady_s)
        if self._latest_wall_s is not None:
            ahead_s = max(0.0, wall_s - self._latest_wall_s)
            passed_s = max(passed_s, min(ahead_s, LONGEST_GAP_S))
        self._lived_s += passed_s
        self._steady_s = steady_s
        self._latest_wall_s = max(wall_s, self._latest_wall_s or wall_s)
        self._mark()
        self._save()

    def newest_of_age(self, age_s: float) -> int:
        """The newest utterance that is surely as old as `age_s`, or 0; all before it are older."""
        place = bisect_right(self._marks, self._lived_s - age_s, key=lambda mark: mark[0])
        return self._marks[place - 1][1] if place else 0

    def _mark(self) -> None:
        row = self._database.row("SELECT coalesce(max(id), 0) FROM utterances")
        newest = int(row[0]) if row else 0
        if not self._marks or newest != self._marks[-1][1]:
            self._marks.append((self._lived_s, newest))
        if len(self._marks) > _MOST_MARKS:
            # Every second of the older half: what lies between two marks counts as the younger.
            half = _MOST_MARKS // 2
            self._marks = self._marks[:half:2] + self._marks[half:]

    def _save(self) -> None:
        kept = {
            "lived_s": self._lived_s,
            "latest_wall_s": self._latest_wall_s,
            "marks": self._marks,
        }
        self._database.write(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", _KEY, json.dumps(kept)
        )
