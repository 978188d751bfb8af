"""What people note about utterances: for themselves, learned by nothing."""

from dataclasses import dataclass

from streamer.store.database import Database


@dataclass(frozen=True, slots=True)
class Note:
    """A person's words about an utterance. noted_at: seconds since 1970."""

    utterance: int
    text: str
    noted_at: float


class Notes:
    """At most one note an utterance; it is deleted with the utterance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, utterance: int, text: str, now: float) -> None:
        """Write or replace a note; "" deletes it. The utterance must exist."""
        with self._database.transaction():
            self._database.erase("DELETE FROM notes WHERE utterance = ?", utterance)
            if text:
                self._database.write(
                    "INSERT INTO notes (utterance, text, noted_at) VALUES (?, ?, ?)",
                    utterance,
                    text,
                    now,
                )

    def all(self) -> dict[int, Note]:
        """By utterance, in the order of the utterances."""
        rows = self._database.rows("SELECT * FROM notes ORDER BY utterance")
        return {row["utterance"]: Note(**dict(row)) for row in rows}
