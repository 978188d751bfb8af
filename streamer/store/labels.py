"""The label log: append-only, undo included; and the lessons learned from it."""

import math
from collections.abc import Sequence
from typing import Final

from streamer.errors import NotFound, UsageError
from streamer.messages import DIMENSIONS, Label, Vector
from streamer.store.database import Database
from streamer.store.records import LogEntry, decode_log_entry, encode_vector

LONGEST_NAME: Final = 64
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


class Labels:
    """Answers in the order they came, each kept as given and never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, labels: Sequence[Label], now: float, scale: tuple[float, float] = (-1.0, 1.0)
    ) -> list[int]:
        """Append all or none; the queries that they answer lose their clip. Returns their seqs.

        Values are on `scale` (low, high) and are stored so. Raises UsageError for an empty answer
        or a value outside the scale, NotFound for an unknown utterance.
        """
        low, high = scale
        if not 0.0 < high - low < math.inf:  # also catches NaN
            raise UsageError(f"the scale {low}:{high} is empty: give LOW:HIGH, for example 1:5")
        with self._database.transaction():
            return [self._append(label, now, low, high) for label in labels]

    def undo(self, count: int, now: float) -> list[LogEntry]:
        """Take back the last `count` labels that still stand. Returns them, newest first."""
        with self._database.transaction():
            rows = self._database.rows(
                _LOG
                + "WHERE l.seq IN (SELECT seq FROM standing_labels) ORDER BY l.seq DESC LIMIT ?",
                min(count, _NEWEST),
            )
            for row in rows:
                self._database.write(
                    """INSERT INTO labels
                           (utterance, annotator, scale_low, scale_high, given_at, retracts)
                       VALUES (?, ?, -1, 1, ?, ?)""",
                    row["utterance"],
                    row["annotator"],
                    now,
                    row["seq"],
                )
        return [decode_log_entry(row) for row in rows]

    def log(self, after: int = 0, limit: int = -1) -> list[LogEntry]:
        """Rows with a seq above `after`, in order, at most `limit`; undone ones included."""
        rows = self._database.rows(_LOG + "WHERE l.seq > ? ORDER BY l.seq LIMIT ?", after, limit)
        return [decode_log_entry(row) for row in rows]

    def effective(self, through: int = _NEWEST) -> list[LogEntry]:
        """The rows that count, up to a seq: each annotator's last answer on an utterance."""
        rows = self._database.rows(
            _LOG
            + "WHERE l.seq IN (SELECT seq FROM effective_labels WHERE seq <= ?) ORDER BY l.seq",
            through,
        )
        return [decode_log_entry(row) for row in rows]

    def count(self, through: int = _NEWEST) -> int:
        """How many rows count, up to a seq."""
        row = self._database.row("SELECT count(*) FROM effective_labels WHERE seq <= ?", through)
        return int(row[0]) if row else 0

    def count_of(self, utterance: int) -> int:
        """How many rows count for one utterance."""
        row = self._database.row(
            "SELECT count(*) FROM effective_labels WHERE utterance = ?", utterance
        )
        return int(row[0]) if row else 0

    def newest(self) -> int:
        """The seq of the last row of the log, or 0."""
        row = self._database.row("SELECT max(seq) FROM labels")
        return int(row[0] or 0) if row else 0

    def learned_with(self, seq: int, features: Vector) -> None:
        """Keep the features, float64 [d], that a label was learned with: replay needs them."""
        self._database.write(
            "INSERT OR REPLACE INTO lessons (label, features) VALUES (?, ?)",
            seq,
            encode_vector(features, "<f8"),
        )

    def _append(self, label: Label, now: float, low: float, high: float) -> int:
        values = [getattr(label, name) for name in DIMENSIONS]
        for name, value in zip(DIMENSIONS, values, strict=True):
            if value is not None and not low <= value <= high:  # also catches NaN
                raise UsageError(
                    f"{name} {value:g} of utterance {label.utterance} is outside "
                    f"[{low:g}, {high:g}]: give a value on that scale"
                )
        if label.emotion is None and all(value is None for value in values):
            raise UsageError(
                f"the label of utterance {label.utterance} is empty: "
                "give valence and arousal, or an emotion"
            )
        if not 0 < len(label.annotator) <= LONGEST_NAME or not label.annotator.isprintable():
            raise UsageError(
                f"annotator {label.annotator!r}: give a name of 1 to {LONGEST_NAME} "
                "printable characters"
            )
        if self._database.row("SELECT 1 FROM utterances WHERE id = ?", label.utterance) is None:
            raise NotFound(
                f"no utterance {label.utterance} in this profile; `streamer queue` lists some"
            )
        self._database.write("UPDATE queries SET clip = NULL WHERE utterance = ?", label.utterance)
        return self._database.write(
            """INSERT INTO labels (utterance, annotator, valence, arousal, dominance, emotion,
                   scale_low, scale_high, given_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            label.utterance,
            label.annotator,
            *values,
            label.emotion,
            low,
            high,
            now,
        )
