"""Sessions of a profile, and their utterances without the vectors."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.errors import NotFound
from streamer.store.database import Database, decoding
from streamer.store.records import StoredUtterance, decode_prediction, decode_utterance
from streamer.types import Prediction


@dataclass(frozen=True, slots=True)
class SessionRow:
    """source: a file's path, or a device's name. accounting: the fields of the `end` event.

    None while the session is running, and for one that was killed. Times in seconds since 1970.
    """

    id: int
    kind: str
    source: str
    started_at: float
    accounting: Mapping[str, Any] | None
    utterances: int


@dataclass(frozen=True, slots=True)
class UtteranceRow:
    """prediction: made on arrival. fate: asked and then answered, open or closed without an answer.

    Not asked and labelled, in the buffer, or released.
    """

    id: int
    session: int
    heard_at: float
    prediction: Prediction
    fate: str


@dataclass(frozen=True, slots=True)
class Selection:
    """How a buffer was split. asked and released: utterance ids, in order."""

    id: int
    strategy: str
    reason: str
    asked: list[int]
    released: list[int]


class Sessions:
    """Begins, ends and reads sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, kind: str, source: str, now: float) -> int:
        """A new session over a source; its id. now: seconds since 1970."""
        return self._database.write(
            "INSERT INTO sessions (kind, source, started_at) VALUES (?, ?, ?)", kind, source, now
        )

    def end(self, session: int, accounting: Mapping[str, Any], now: float) -> None:
        """accounting: the fields of the `end` event."""
        self._database.write(
            "UPDATE sessions SET ended_at = ?, accounting = ? WHERE id = ?",
            now,
            json.dumps(accounting),
            session,
        )

    def recent(self, limit: int) -> list[StoredUtterance]:
        """The last utterances of all sessions, oldest first."""
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

    def all(self) -> list[SessionRow]:
        """Oldest first."""
        rows = self._database.rows(
            """SELECT s.*,
                      (SELECT count(*) FROM utterances AS u WHERE u.session = s.id) AS utterances
               FROM sessions AS s ORDER BY s.id"""
        )
        return [_session(row) for row in rows]

    def get(self, session: int) -> SessionRow:
        """By its number; -1 is the last one, -2 the one before. Raises NotFound."""
        rows = self.all()
        numbers = [row.id for row in rows]
        number = numbers[session] if -len(numbers) <= session < 0 else session
        found = next((row for row in rows if row.id == number), None)
        if found is None:
            raise NotFound(f"no session {session} in this profile; its report lists them all")
        return found

    def utterances(self, session: int | None = None) -> list[UtteranceRow]:
        """Those of one session, or of all, in order."""
        rows = self._database.rows(
            """SELECT u.id, u.session, u.heard_at, u.prediction, u.state, q.expired_at,
                      q.utterance IS NOT NULL AS asked,
                      EXISTS (SELECT 1 FROM effective_labels AS l WHERE l.utterance = u.id)
                          AS answered
               FROM utterances AS u LEFT JOIN queries AS q ON q.utterance = u.id
               WHERE ? IS NULL OR u.session = ? ORDER BY u.id""",
            session,
            session,
        )
        return [_utterance(row) for row in rows]


def _session(row: sqlite3.Row) -> SessionRow:
    with decoding(f"session {row['id']}"):
        return SessionRow(
            id=row["id"],
            kind=row["kind"],
            source=row["source"],
            started_at=row["started_at"],
            accounting=json.loads(row["accounting"]) if row["accounting"] else None,
            utterances=row["utterances"],
        )


def _utterance(row: sqlite3.Row) -> UtteranceRow:
    if row["answered"]:
        fate = "answered" if row["asked"] else "answered unasked"
    elif row["asked"]:
        fate = "open" if row["expired_at"] is None else "closed"
    else:
        fate = "in the buffer" if row["state"] == "buffered" else "let go"
    with decoding(f"utterance {row['id']}"):
        prediction = decode_prediction(row["prediction"])
    return UtteranceRow(row["id"], row["session"], row["heard_at"], prediction, fate)
