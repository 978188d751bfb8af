"""Queries: the open ones, an annotator's next one, and the randomly drawn ones."""

import sqlite3
from typing import Final, Literal

from streamer.store.database import Database
from streamer.store.records import OpenQuery, decode_utterance
from streamer.store.utterances import OPEN_QUERIES, SELECT_QUERY

Order = Literal["informative", "oldest"]
_ORDERS: Final = {
    "informative": "ORDER BY q.utterance IS ? DESC, q.score DESC, q.utterance LIMIT 1",
    "oldest": "ORDER BY q.utterance IS ? DESC, q.utterance LIMIT 1",
}
_NOT_SKIPPED: Final = """
      AND NOT EXISTS (
          SELECT 1 FROM asides AS a
          WHERE a.utterance = q.utterance AND a.annotator = ?
            AND a.kind = 'skip' AND a.undone_at IS NULL
      )
"""


class Queries:
    """Requests for labels, read one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next(
        self, annotator: str, order: Order = "informative", current: int | None = None
    ) -> OpenQuery | None:
        """The first open query that the annotator has not skipped; `current` before all others."""
        # The number alone first: sorting whole rows would carry thousands of vectors along.
        row = self._database.row(
            SELECT_QUERY
            + "FROM queries AS q JOIN utterances AS u ON u.id = q.utterance WHERE u.id = ("
            + "SELECT q.utterance"
            + OPEN_QUERIES
            + _NOT_SKIPPED
            + _ORDERS[order]
            + ")",
            annotator,
            current,
        )
        return None if row is None else _decode(row)

    def open(self, limit: int = -1) -> list[OpenQuery]:
        """Most informative first, skipped ones included; all for a limit of -1."""
        rows = self._database.rows(
            SELECT_QUERY + OPEN_QUERIES + "ORDER BY q.score DESC, q.utterance LIMIT ?",
            limit,
        )
        return [_decode(row) for row in rows]

    def open_numbers(self) -> frozenset[int]:
        """The utterances that are asked about, and not answered yet."""
        rows = self._database.rows("SELECT q.utterance" + OPEN_QUERIES)
        return frozenset(row["utterance"] for row in rows)

    def count(self, annotator: str) -> int:
        """How many are open and not skipped by the annotator."""
        row = self._database.row("SELECT count(*)" + OPEN_QUERIES + _NOT_SKIPPED, annotator)
        return int(row[0]) if row else 0

    def propensities(self) -> dict[int, float]:
        """The probability, in (0, 1], of each randomly drawn query, by utterance.

        Includes unanswered ones. Queries from versions before random drawing are missing.
        """
        rows = self._database.rows(
            "SELECT utterance, propensity FROM queries WHERE explored AND propensity > 0"
        )
        return {row["utterance"]: row["propensity"] for row in rows}

    def reopen(self, utterance: int, clip: bytes | None) -> None:
        """Reopen a query that was answered or closed; with its FLAC clip, where there is one."""
        self._database.write(
            """UPDATE queries SET expired_at = NULL, clip = coalesce(clip, ?)
               WHERE utterance = ?""",
            clip,
            utterance,
        )


def _decode(row: sqlite3.Row) -> OpenQuery:
    return OpenQuery(decode_utterance(row), row["score"], row["asked_at"], bool(row["has_clip"]))
