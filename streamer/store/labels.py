"""The append-only label log, including undo."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from streamer.errors import NotFound
from streamer.learners.answers import checked_answer, checked_scale
from streamer.store.database import Database
from streamer.store.records import LogEntry, decode_log_entry, encode_vector
from streamer.types import DIMENSIONS, Label, Vector

UNIT: Final = (-1.0, 1.0)
_NEWEST: Final = 2**63 - 1
_LOG: Final = """
    SELECT l.*, s.features,
           EXISTS (SELECT 1 FROM effective_labels AS e WHERE e.seq = l.seq) AS effective,
           NOT EXISTS (
               SELECT 1 FROM effective_labels AS e
               WHERE e.utterance = l.utterance AND e.seq < l.seq
           ) AS first
    FROM labels AS l LEFT JOIN lessons AS s ON s.label = l.seq
"""


# In `meta`, "yes" where the audio of answered clips is kept until the encoder was tuned on it.
KEEP_ANSWERED: Final = "keep_for_tuning"


class Labels:
    """Labels in the order in which they were given; rows are never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, labels: Sequence[Label], now: float, scale: tuple[float, float] = UNIT
    ) -> list[int]:
        """Append all or none, and delete the clips of the answered queries. Returns their seqs.

        The clip becomes a recording where the profile keeps those of answers (`KEEP_ANSWERED`).

        Values are on `scale` (low, high) and are stored so. Raises UsageError for an empty answer
        or a value outside the scale, NotFound for an unknown utterance.
        """
        checked_scale(scale)
        checked = [checked_answer(label, scale) for label in labels]
        with self._database.transaction():
            keeps = self._database.row(
                "SELECT 1 FROM meta WHERE key = ? AND value = 'yes'", KEEP_ANSWERED
            )
            for utterance in {label.utterance for label in labels}:
                self._close(utterance, now, keeps is not None)
            return [self._append(label, now, scale) for label in checked]

    def undo(self, count: int, now: float, annotator: str | None = None) -> list[LogEntry]:
        """Undo the last `count` effective labels, of one annotator where one is given.

        Returns them, newest first.
        """
        with self._database.transaction():
            rows = self._database.rows(
                _LOG
                + """WHERE l.seq IN (SELECT seq FROM standing_labels) AND ?1 IN (l.annotator, '')
                     ORDER BY l.seq DESC LIMIT ?2""",
                annotator or "",
                min(count, _NEWEST),
            )
            for row in rows:
                self._retract(row, now)
        return [decode_log_entry(row) for row in rows]

    def retract(self, seq: int, now: float) -> LogEntry:
        """Undo one label, and return it. Raises NotFound where it was undone or replaced."""
        with self._database.transaction():
            row = self._database.row(
                _LOG + "WHERE l.seq = ? AND l.seq IN (SELECT seq FROM standing_labels)", seq
            )
            if row is None:
                raise NotFound(f"no label {seq} to take back: it was taken back already, or never")
            self._retract(row, now)
        return decode_log_entry(row)

    def newest_of(self, annotator: str) -> LogEntry | None:
        """An annotator's last label that was not undone."""
        row = self._database.row(
            _LOG + "WHERE l.seq = (SELECT max(seq) FROM standing_labels WHERE annotator = ?)",
            annotator,
        )
        return None if row is None else decode_log_entry(row)

    def answer_of(self, utterance: int, annotator: str) -> LogEntry | None:
        """The effective label of one annotator on one utterance."""
        row = self._database.row(
            _LOG
            + """WHERE l.seq = (SELECT seq FROM effective_labels
                                WHERE utterance = ? AND annotator = ?)""",
            utterance,
            annotator,
        )
        return None if row is None else decode_log_entry(row)

    def page(
        self, limit: int, before: int = _NEWEST, annotator: str = "", emotion: str = ""
    ) -> list[LogEntry]:
        """Effective labels with a seq below `before`, newest first; "" matches all."""
        rows = self._database.rows(
            _LOG
            + """WHERE l.seq IN (
                     SELECT seq FROM effective_labels
                     WHERE seq < ? AND ? IN ('', annotator) AND ? IN ('', emotion)
                     ORDER BY seq DESC LIMIT ?
                 ) ORDER BY l.seq DESC""",
            min(before, _NEWEST),
            annotator,
            emotion,
            limit,
        )
        return [decode_log_entry(row) for row in rows]

    def annotators(self) -> list[str]:
        """Annotators with effective labels, in alphabetical order."""
        rows = self._database.rows("SELECT DISTINCT annotator FROM effective_labels ORDER BY 1")
        return [row["annotator"] for row in rows]

    def log(self, after: int = 0, limit: int = -1) -> list[LogEntry]:
        """Rows with a seq above `after`, in order, at most `limit`; undone ones included."""
        rows = self._database.rows(_LOG + "WHERE l.seq > ? ORDER BY l.seq LIMIT ?", after, limit)
        return [decode_log_entry(row) for row in rows]

    def effective(self, through: int = _NEWEST, after: int = 0, limit: int = -1) -> list[LogEntry]:
        """The effective rows up to a seq: each annotator's last answer on an utterance."""
        rows = self._database.rows(
            _LOG
            + """WHERE l.seq IN (
                     SELECT seq FROM effective_labels WHERE seq > ? AND seq <= ?
                     ORDER BY seq LIMIT ?
                 ) ORDER BY l.seq""",
            after,
            through,
            limit,
        )
        return [decode_log_entry(row) for row in rows]

    def replaces(self, after: int, through: int) -> bool:
        """Whether a row behind `after`, up to `through`, answers what the same annotator's row
        before them answers, which stands and was learned.
        """
        row = self._database.row(
            """SELECT 1 FROM labels AS n
               JOIN labels AS o ON o.utterance = n.utterance AND o.annotator = n.annotator
               JOIN lessons AS s ON s.label = o.seq
               WHERE n.seq > ?1 AND n.seq <= ?2 AND n.retracts IS NULL
                 AND o.seq <= ?1 AND o.retracts IS NULL
                 AND NOT EXISTS (SELECT 1 FROM labels AS u WHERE u.retracts = o.seq)
               LIMIT 1""",
            after,
            through,
        )
        return row is not None

    def revives(self, after: int, through: int) -> bool:
        """Whether a row behind `after`, up to `through`, takes an answer back for which an earlier
        one up to `after` counts again that was never learned, as it had been replaced before.
        """
        row = self._database.row(
            """SELECT 1 FROM labels AS u
               JOIN labels AS b ON b.seq = u.retracts
               JOIN effective_labels AS e
                    ON e.utterance = b.utterance AND e.annotator = b.annotator
               LEFT JOIN lessons AS s ON s.label = e.seq
               WHERE u.seq > ?1 AND u.seq <= ?2 AND e.seq <= ?1 AND s.label IS NULL
               LIMIT 1""",
            after,
            through,
        )
        return row is not None

    def count(self, through: int = _NEWEST) -> int:
        """The number of effective rows up to a seq."""
        row = self._database.row("SELECT count(*) FROM effective_labels WHERE seq <= ?", through)
        return int(row[0]) if row else 0

    def count_of(self, utterance: int) -> int:
        """The number of effective rows of one utterance."""
        row = self._database.row(
            "SELECT count(*) FROM effective_labels WHERE utterance = ?", utterance
        )
        return int(row[0]) if row else 0

    def first_given_s(self) -> float | None:
        """When the first label ever was given, in seconds since 1970; None without any."""
        row = self._database.row("SELECT min(given_at) FROM labels")
        return None if row is None else row[0]

    def newest(self) -> int:
        """The seq of the last row of the log, or 0."""
        row = self._database.row("SELECT max(seq) FROM labels")
        return int(row[0] or 0) if row else 0

    def learned_with(self, seq: int, features: Vector) -> None:
        """Store the features, float64 [d], that a label was learned with, for replay."""
        self._database.write(
            "INSERT OR REPLACE INTO lessons (label, features) VALUES (?, ?)",
            seq,
            encode_vector(features, "<f8"),
        )

    def _close(self, utterance: int, now: float, keeps: bool) -> None:
        """Delete the clip of an answered query. Raises NotFound for no utterance."""
        known = 0 < utterance <= _NEWEST and self._database.row(
            "SELECT 1 FROM utterances WHERE id = ?", utterance
        )
        if not known:
            raise NotFound(f"no utterance {utterance} in this profile; `streamer queue` lists some")
        if keeps:
            self._database.write(
                """INSERT OR IGNORE INTO recordings (utterance, audio, kept_at)
                   SELECT utterance, clip, ?2 FROM queries
                   WHERE utterance = ?1 AND clip IS NOT NULL""",
                utterance,
                now,
            )
        self._database.erase(
            "UPDATE queries SET clip = NULL WHERE utterance = ? AND clip IS NOT NULL", utterance
        )

    def _append(self, label: Label, now: float, scale: tuple[float, float]) -> int:
        return self._database.write(
            """INSERT INTO labels (utterance, annotator, valence, arousal, dominance, emotion,
                   scale_low, scale_high, given_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            label.utterance,
            label.annotator,
            *(getattr(label, name) for name in DIMENSIONS),
            label.emotion,
            *scale,
            now,
        )

    def _retract(self, row: sqlite3.Row, now: float) -> None:
        self._database.write(
            """INSERT INTO labels (utterance, annotator, scale_low, scale_high, given_at, retracts)
               VALUES (?, ?, -1, 1, ?, ?)""",
            row["utterance"],
            row["annotator"],
            now,
            row["seq"],
        )
