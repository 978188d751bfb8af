"""Annotation events that are not learned: skip, cannot tell, and repeat."""

import sqlite3
from dataclasses import dataclass
from typing import Final, Literal, get_args

from streamer.errors import NotFound, UsageError
from streamer.store.database import Database
from streamer.store.records import LogEntry
from streamer.text import annotator_name
from streamer.types import DIMENSIONS, Label

Kind = Literal["skip", "cannot tell", "repeat"]
_INSERT: Final = """
    INSERT INTO asides (utterance, annotator, kind, valence, arousal, dominance, emotion, given_at,
        after_label)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) FROM labels))
"""


@dataclass(frozen=True, slots=True)
class AnnotationEvent:
    """One of them. answer: its fields are None except for a repeat."""

    id: int
    kind: Kind
    answer: Label
    given_at: float
    after_label: int | None

    def is_after(self, label: LogEntry) -> bool:
        """Whether it came after a row of the label log; by time only for rows of old exports."""
        if self.after_label is None:
            return self.given_at >= label.given_at
        return self.after_label >= label.seq


class AnnotationEvents:
    """Actions of annotators other than labels; each can be undone.

    Stored in the table `asides`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: Kind, answer: Label, now: float) -> int:
        """Append an event; returns its id. Raises UsageError for an invalid kind or name, NotFound.

        answer: of a repeat, in [-1, 1]; of the other kinds only utterance and annotator are kept.
        """
        if kind not in get_args(Kind):
            raise UsageError(f"{kind!r} is no answer: give {', '.join(get_args(Kind))}")
        values = [getattr(answer, name) for name in DIMENSIONS]
        for name, value in zip(DIMENSIONS, values, strict=True):
            if value is not None and not -1.0 <= value <= 1.0:  # also catches NaN
                raise UsageError(
                    f"{name} {value:g} of utterance {answer.utterance} is outside [-1, 1]: "
                    "give a value on that scale"
                )
        if self._database.row("SELECT 1 FROM utterances WHERE id = ?", answer.utterance) is None:
            raise NotFound(
                f"no utterance {answer.utterance} in this profile; `streamer queue` lists some"
            )
        given = (*values, answer.emotion) if kind == "repeat" else (None,) * 4
        annotator = annotator_name(answer.annotator)
        return self._database.write(_INSERT, answer.utterance, annotator, kind, *given, now)

    def newest(self, annotator: str) -> AnnotationEvent | None:
        """The annotator's last event that was not undone."""
        row = self._database.row(
            """SELECT * FROM asides WHERE annotator = ? AND undone_at IS NULL
               ORDER BY id DESC LIMIT 1""",
            annotator,
        )
        return None if row is None else _decode(row)

    def undo(self, event: int, now: float) -> None:
        """Undo an event. Idempotent."""
        self._database.write(
            "UPDATE asides SET undone_at = ? WHERE id = ? AND undone_at IS NULL", now, event
        )

    def ask_skipped_again(self, annotator: str, now: float) -> None:
        """Undo all skips of an annotator."""
        self._database.write(
            """UPDATE asides SET undone_at = ?
               WHERE annotator = ? AND kind = 'skip' AND undone_at IS NULL""",
            now,
            annotator,
        )

    def count(self, annotator: str, kind: Kind) -> int:
        row = self._database.row(
            """SELECT count(*) FROM asides
               WHERE annotator = ? AND kind = ? AND undone_at IS NULL""",
            annotator,
            kind,
        )
        return int(row[0]) if row else 0

    def repeated(self, annotator: str) -> set[int]:
        """Utterances that an annotator has answered a second time."""
        rows = self._database.rows(
            """SELECT utterance FROM asides
               WHERE annotator = ? AND kind = 'repeat' AND undone_at IS NULL""",
            annotator,
        )
        return {row["utterance"] for row in rows}

    def repeats(self) -> list[Label]:
        """Every second answer, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM asides WHERE kind = 'repeat' AND undone_at IS NULL ORDER BY id"
        )
        return [_decode(row).answer for row in rows]


def _decode(row: sqlite3.Row) -> AnnotationEvent:
    answer = Label(
        utterance=row["utterance"],
        valence=row["valence"],
        arousal=row["arousal"],
        dominance=row["dominance"],
        emotion=row["emotion"],
        annotator=row["annotator"],
    )
    return AnnotationEvent(row["id"], row["kind"], answer, row["given_at"], row["after_label"])
