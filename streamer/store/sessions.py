"""The sessions of a profile, and what was heard in them, without the vectors."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.errors import NotFound
from streamer.store.database import Database, decoding
from streamer.store.records import decode_prediction
from streamer.types import Prediction


@dataclass(frozen=True, slots=True)
class SessionRow:
    """source: a file's path, or a device's name. accounting: the fields of the `end` event; None
    while the session goes on, and of one that was killed. Times in seconds since 1970.
    """

    id: int
    kind: str
    source: str
    started_at: float
    accounting: Mapping[str, Any] | None
    utterances: int


@dataclass(frozen=True, slots=True)
class HeardRow:
    """prediction: as it was when the utterance was heard.

    fate: asked and then answered, open or closed without an answer; never asked and answered all
    the same, in the buffer, or let go.
    """

    id: int
    session: int
    heard_at: float
    prediction: Prediction
    fate: str


class Sessions:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SessionRow]:
        """Oldest first."""
        rows = self._database.rows(
            """SELECT s.*, (SELECT count(*) FROM utterances AS u WHERE u.session = s.id) AS heard
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

    def heard(self, session: int | None = None) -> list[HeardRow]:
        """What was heard in one session, or in all, in order."""
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
        return [_heard(row) for row in rows]


def _session(row: sqlite3.Row) -> SessionRow:
    with decoding(f"session {row['id']}"):
        return SessionRow(
            id=row["id"],
            kind=row["kind"],
            source=row["source"],
            started_at=row["started_at"],
            accounting=json.loads(row["accounting"]) if row["accounting"] else None,
            utterances=row["heard"],
        )


def _heard(row: sqlite3.Row) -> HeardRow:
    if row["answered"]:
        fate = "answered" if row["asked"] else "answered unasked"
    elif row["asked"]:
        fate = "open" if row["expired_at"] is None else "closed"
    else:
        fate = "in the buffer" if row["state"] == "buffered" else "let go"
    with decoding(f"utterance {row['id']}"):
        prediction = decode_prediction(row["prediction"])
    return HeardRow(row["id"], row["session"], row["heard_at"], prediction, fate)
