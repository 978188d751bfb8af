"""Utterances, selections, and the resulting queries."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict
from statistics import median
from typing import Final

from streamer.errors import NotFound
from streamer.store.database import Database, decoding
from streamer.store.records import (
    StoredUtterance,
    decode_utterance,
    decode_vector,
    encode_prediction,
    encode_vector,
)
from streamer.types import Prediction, Quality, Samples, Utterance, Verdict

USUAL_LEAST: Final = 20
USUAL_MEMORY: Final = 200

SELECT_QUERY = """
    SELECT u.*, q.score, q.asked_at, q.clip IS NOT NULL OR EXISTS (
        SELECT 1 FROM recordings AS r WHERE r.utterance = u.id
    ) AS has_clip
"""
OPEN_QUERIES = """
    FROM queries AS q JOIN utterances AS u ON u.id = q.utterance
    WHERE q.expired_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM effective_labels AS l WHERE l.utterance = q.utterance)
"""


class Utterances:
    """The utterances of all sessions. Ids grow and are never reused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        session: int,
        utterance: Utterance,
        embedding: Samples,
        emotion: Samples,
        prediction: Prediction,
        verdict: Verdict,
        informativeness: float | None,
        heard_at: float,
    ) -> int:
        """Store one as buffered; its audio is not written. Returns the new id."""
        return self._database.write(
            """INSERT INTO utterances (session, source, onset_s, offset_s, heard_at, quality,
                   embedding, emotion, prediction, verdict, informativeness, state)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'buffered')""",
            session,
            utterance.source,
            utterance.onset_s,
            utterance.offset_s,
            heard_at,
            json.dumps(asdict(utterance.quality)),
            encode_vector(embedding, "<f4"),
            encode_vector(emotion, "<f4"),
            encode_prediction(prediction),
            json.dumps(asdict(verdict)),
            informativeness,
        )

    def get(self, utterance: int) -> StoredUtterance:
        """Raises NotFound."""
        row = self._database.row("SELECT * FROM utterances WHERE id = ?", utterance)
        if row is None:
            raise NotFound(f"no utterance {utterance} in this profile; `streamer queue` lists some")
        return decode_utterance(row)

    def embedding(self, utterance: int) -> Samples:
        """Its embedding alone, float32 [d]. Raises NotFound."""
        row = self._database.row("SELECT embedding FROM utterances WHERE id = ?", utterance)
        if row is None:
            raise NotFound(f"no utterance {utterance} in this profile; `streamer queue` lists some")
        with decoding(f"utterance {utterance}"):
            return decode_vector(row["embedding"], "<f4")

    def count(self) -> int:
        row = self._database.row("SELECT count(*) FROM utterances")
        return int(row[0]) if row else 0

    def usual_dbfs(self) -> float | None:
        """The median level at which the last of them were encoded; None where they are few."""
        rows = self._database.rows(
            "SELECT quality FROM utterances ORDER BY id DESC LIMIT ?", USUAL_MEMORY
        )
        if len(rows) < USUAL_LEAST:
            return None
        qualities = [Quality(**json.loads(row["quality"])) for row in rows]
        return median(quality.level_dbfs + quality.gain_db for quality in qualities)

    def counts(self) -> dict[str, int]:
        """How many there are in each state: buffered, asked, released."""
        rows = self._database.rows("SELECT state, count(*) AS n FROM utterances GROUP BY state")
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state, 0) for state in ("buffered", "asked", "released")}

    def places(self, session: int | None = None) -> list[tuple[int, str, float, float]]:
        """Of each utterance its id, its recording or device, onset and offset in seconds.

        session: only those of one.
        """
        rows = self._database.rows(
            """SELECT id, source, onset_s, offset_s FROM utterances
               WHERE ? IS NULL OR session = ? ORDER BY id""",
            session,
            session,
        )
        return [(row["id"], row["source"], row["onset_s"], row["offset_s"]) for row in rows]

    def numbers(self, heard_before: float = math.inf) -> list[int]:
        """All ids, in order, of utterances before a time, in seconds since 1970."""
        rows = self._database.rows(
            "SELECT id FROM utterances WHERE heard_at < ? ORDER BY id", heard_before
        )
        return [row["id"] for row in rows]

    def nth(self, place: int) -> int:
        """The id of the `place`th utterance, from 1, of those that are left."""
        row = self._database.row(
            "SELECT id FROM utterances ORDER BY id LIMIT 1 OFFSET ?", place - 1
        )
        return row["id"] if row else place

    def delete(self, utterance: int) -> None:
        """Delete an utterance with its audio, labels and enrollments."""
        self._database.write("DELETE FROM utterances WHERE id = ?", utterance)

    def delete_empty_sessions(self) -> None:
        """Delete sessions and selections without utterances."""
        for table, column in (("sessions", "session"), ("selections", "selection")):
            self._database.write(
                f"""DELETE FROM {table} WHERE NOT EXISTS (
                        SELECT 1 FROM utterances AS u WHERE u.{column} = {table}.id
                    )"""
            )

    def replace_vectors(
        self,
        utterance: int,
        embedding: Samples,
        emotion: Samples,
        carried_from: str | None = None,
    ) -> None:
        """Replace the vectors by those of another encoder.

        carried_from: sha256 of the encoder whose vectors were mapped into these, for want of audio;
        None: the encoder itself gave them. What was mapped twice keeps the first.
        """
        self._database.write(
            """UPDATE utterances SET embedding = ?1, emotion = ?2,
                   carried_from = CASE WHEN ?3 IS NULL THEN NULL
                                  ELSE coalesce(carried_from, ?3) END
               WHERE id = ?4""",
            encode_vector(embedding, "<f4"),
            encode_vector(emotion, "<f4"),
            carried_from,
            utterance,
        )

    def mapped(self) -> int:
        """How many have vectors that were mapped from another encoder's."""
        row = self._database.row("SELECT count(*) FROM utterances WHERE carried_from IS NOT NULL")
        return int(row[0]) if row else 0

    def release_orphans(self) -> int:
        """Release utterances in the buffer of a killed process: their audio was in memory only."""
        with self._database.transaction():
            rows = self._database.rows("SELECT id FROM utterances WHERE state = 'buffered'")
            self._database.write(
                "UPDATE utterances SET state = 'released' WHERE state = 'buffered'"
            )
        return len(rows)

    def select(
        self,
        strategy: str,
        reason: str,
        asked: Sequence[tuple[int, float, bytes | None]],
        released: Sequence[int],
        now: float,
        explored: Collection[int] = (),
        propensity: float = 0.0,
    ) -> int:
        """Turn `asked` (id, score, FLAC clip) into queries and release `released`.

        explored: the asked ones that were drawn at random; propensity: the probability, in [0, 1],
        of that, equal for the whole buffer. Returns the selection's number.
        """
        with self._database.transaction():
            selection = self._database.write(
                "INSERT INTO selections (strategy, reason, selected_at) VALUES (?, ?, ?)",
                strategy,
                reason,
                now,
            )
            for utterance, score, clip in asked:
                self._database.write(
                    """INSERT INTO queries (utterance, score, clip, asked_at, explored, propensity)
                       VALUES (?, ?, ?, ?, ?, ?)""",
                    utterance,
                    score,
                    clip,
                    now,
                    utterance in explored,
                    propensity,
                )
                self._mark(utterance, "asked", selection)
            for utterance in released:
                self._mark(utterance, "released", selection)
        return selection

    def selection_count(self) -> int:
        """How many buffers were split, as far as one of their utterances is left."""
        row = self._database.row("SELECT count(*) FROM selections")
        return int(row[0]) if row else 0

    def asked_since(self, moment: float) -> int:
        """How many questions were asked since, in seconds since 1970."""
        row = self._database.row("SELECT count(*) FROM queries WHERE asked_at >= ?", moment)
        return int(row[0]) if row else 0

    def open_query_count(self) -> int:
        row = self._database.row("SELECT count(*)" + OPEN_QUERIES)
        return int(row[0]) if row else 0

    def close_query(self, utterance: int, now: float) -> None:
        """Close the query, and delete its audio."""
        self._database.erase(
            "UPDATE queries SET expired_at = ?, clip = NULL WHERE utterance = ?", now, utterance
        )

    def expire_queries(self, asked_before: float, now: float) -> int:
        """Close unanswered queries older than `asked_before` and delete their audio."""
        return self._close_queries("q.asked_at < ?", asked_before, now)

    def expire_queries_through(self, utterance: int, now: float) -> int:
        """The same for queries of utterances up to this one."""
        return self._close_queries("q.utterance <= ?", utterance, now)

    def _close_queries(self, which: str, value: float, now: float) -> int:
        with self._database.transaction():
            rows = self._database.rows(f"SELECT q.utterance{OPEN_QUERIES}AND {which}", value)
            for row in rows:
                self.close_query(row["utterance"], now)
        return len(rows)

    def _mark(self, utterance: int, state: str, selection: int) -> None:
        self._database.write(
            "UPDATE utterances SET state = ?, selection = ? WHERE id = ?",
            state,
            selection,
            utterance,
        )
