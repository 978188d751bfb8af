"""Marks in the database that tell a process whether what it remembers still holds.

Pages and terminals remember clips, pictures and numbers for as long as they live; what another
process forgets or replaces meanwhile does not reach their memory. So whatever is remembered is
remembered with the marks of its time, and is not used once they have changed.
"""

from dataclasses import dataclass
from typing import Final

from streamer.store.database import Database

_NUMBERING: Final = "numbering"
_RETENTION: Final = "retention"
# What stays in `meta` when the rows of another profile take the place of these.
OF_THE_PLACE: Final = ("holder", "listener", "privacy", _NUMBERING, _RETENTION)


@dataclass(frozen=True, slots=True)
class Marks:
    """numbering: changes when numbers of utterances and labels come to mean others.

    retention: changes when something was deleted that may be remembered. Both are random, so that
    a copy of the database that takes its place is told apart too.
    """

    numbering: str
    retention: str


class ProfileMarks:
    """Reads and changes them; a change is part of the transaction that it is in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> Marks:
        """Those of this moment. Read them before what is to be remembered, not after."""
        rows = self._database.rows(
            "SELECT key, value FROM meta WHERE key IN (?, ?)", _NUMBERING, _RETENTION
        )
        found = {row["key"]: row["value"] for row in rows}
        return Marks(found.get(_NUMBERING, ""), found.get(_RETENTION, ""))

    def deleted(self) -> None:
        """Something that may be remembered is gone."""
        self._renew(_RETENTION)

    def renumbered(self) -> None:
        """Other utterances have the numbers of these."""
        self._renew(_NUMBERING)
        self._renew(_RETENTION)

    def _renew(self, key: str) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, lower(hex(randomblob(8))))", key
        )
