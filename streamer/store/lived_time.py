"""The age of a profile's data, measured by the running time of its sessions.

The system clock is unreliable: a board without a battery may start in 1970 or a month ahead, and
one wrong start must not expire everything. Age advances by the monotonic clock within sessions, and
between sessions by the system clock where that is later than ever before, but by at most a day at
once. With daily use, age is in calendar days; a month without use counts as one day.
"""

import json
from bisect import bisect_right
from typing import Final

from streamer.store.database import Database, decoding

LONGEST_GAP_S: Final = 86_400.0
_MOST_MARKS: Final = 1_000
_KEY: Final = "lived"


class LivedTime:
    """Stored in the profile as marks: the newest utterance at a given age in seconds.

    Ids grow and are never reused, so that a mark tells the age of all utterances up to it.
    Utterances before the first mark have its age.
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
        """Advance to now, by both clocks. The monotonic one restarts with every process."""
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
        """The newest utterance that is at least `age_s` old, or 0; all before it are older."""
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
