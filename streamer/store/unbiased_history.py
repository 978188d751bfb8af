"""What was heard last, and what was made of it: for those who look back."""

from dataclasses import dataclass

from streamer.store.database import Database
from streamer.store.records import StoredUtterance, decode_utterance


@dataclass(frozen=True, slots=True)
class Selection:
    """How a buffer was split. asked and released: numbers of utterances, in order."""

    id: int
    strategy: str
    reason: str
    asked: list[int]
    released: list[int]


class History:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, limit: int) -> list[StoredUtterance]:
        """The last utterances, oldest first."""
        rows = self._database.rows("SELECT * FROM utterances ORDER BY id DESC LIMIT ?", limit)
        return [decode_utterance(row) for row in reversed(rows)]

    def last_selection(self) -> Selection | None:
        row = self._database.row("SELECT * FROM selections ORDER BY id DESC LIMIT 1")
        if row is None:
            return None
        members = self._database.rows(
            "SELECT id, state FROM utterances WHERE selection = ? ORDER BY id", row["id"]
        )
        asked = [member["id"] for member in members if member["state"] == "asked"]
        released = [member["id"] for member in members if member["state"] == "released"]
        return Selection(row["id"], row["strategy"], row["reason"], asked, released)
