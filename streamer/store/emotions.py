"""Enrolled emotions and their vectors."""

import json
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from streamer.store.database import Database, decoding
from streamer.store.records import encode_vector
from streamer.types import Samples

_MEMBERS = """
    SELECT emotion, utterance, vector FROM enrollments
    UNION
    SELECT l.emotion, l.utterance, u.emotion AS vector
    FROM effective_labels AS l JOIN utterances AS u ON u.id = l.utterance
    WHERE l.emotion IS NOT NULL
"""


class Emotions:
    """An emotion's members are its enrolled utterances and those labelled with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enroll(
        self, emotion: str, vector: Samples, source: str, utterance: int | None, now: float
    ) -> None:
        """Add one vector, float32 [e]. The same utterance twice under one name counts once."""
        self._database.write(
            """INSERT OR IGNORE INTO enrollments (emotion, utterance, source, vector, enrolled_at)
               VALUES (?, ?, ?, ?, ?)""",
            emotion,
            utterance,
            source,
            encode_vector(vector, "<f4"),
            now,
        )

    def forget(self, emotion: str) -> int:
        """Delete its enrollments and its key, and its name from labels, events and verdicts.

        Returns how many enrollments, keys, labels and annotation events named it.
        """
        with self._database.transaction():
            found = 0
            for table in ("enrollments", "emotion_keys"):
                found += self._database.change(f"DELETE FROM {table} WHERE emotion = ?", emotion)
            for table in ("labels", "asides"):
                found += self._database.change(
                    f"UPDATE {table} SET emotion = NULL WHERE emotion = ?", emotion
                )
            for row in self._database.rows("SELECT id, verdict FROM utterances"):
                self._forget_verdict(row["id"], row["verdict"], emotion)
        return found

    def _forget_verdict(self, utterance: int, text: str, emotion: str) -> None:
        with decoding(f"utterance {utterance}"):
            verdict = json.loads(text)
            compared = verdict["distances"].pop(emotion, None) is not None
        if compared:
            if verdict["emotion"] == emotion:
                verdict |= {"emotion": None, "distance": None}
            self._database.write(
                "UPDATE utterances SET verdict = ? WHERE id = ?", json.dumps(verdict), utterance
            )

    def follow_utterances(self) -> None:
        """Reload the enrolled utterances' vectors; those enrolled from files are dropped."""
        with self._database.transaction():
            self._database.write("DELETE FROM enrollments WHERE utterance IS NULL")
            self._database.write(
                """UPDATE enrollments SET vector =
                       (SELECT u.emotion FROM utterances AS u WHERE u.id = enrollments.utterance)"""
            )

    def shares(self) -> dict[str, NDArray[np.float64]]:
        """Fraction of annotators for each vector of `enrolled`: [n] in (0, 1].

        1 for vectors enrolled under the name, independent of labels.
        """
        votes: Counter[tuple[int, str]] = Counter()
        for row in self._database.rows(
            "SELECT utterance, emotion FROM effective_labels WHERE emotion IS NOT NULL"
        ):
            votes[row["utterance"], row["emotion"]] += 1
        totals: Counter[int] = Counter()
        for (utterance, _), count in votes.items():
            totals[utterance] += count
        enrolled = {
            (row["utterance"], row["emotion"])
            for row in self._database.rows("SELECT utterance, emotion FROM enrollments")
        }
        shares: dict[str, list[float]] = defaultdict(list)
        for row in self._database.rows(_MEMBERS + "ORDER BY emotion, utterance, vector"):
            key = row["utterance"], row["emotion"]
            whole = key in enrolled or not totals[key[0]]
            shares[row["emotion"]].append(1.0 if whole else votes[key] / totals[key[0]])
        return {emotion: np.array(values) for emotion, values in shares.items()}

    def names(self) -> list[str]:
        """Every emotion that has a member, in alphabetical order."""
        rows = self._database.rows(
            """SELECT emotion FROM enrollments UNION
               SELECT emotion FROM effective_labels WHERE emotion IS NOT NULL ORDER BY emotion"""
        )
        return [row["emotion"] for row in rows]

    def enrolled(self) -> dict[str, NDArray[np.float64]]:
        """Every emotion's vectors, float64 [n, e], by name in alphabetical order."""
        members: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
        with decoding("an enrolled emotion"):
            for row in self._database.rows(_MEMBERS + "ORDER BY emotion, utterance, vector"):
                vector = np.frombuffer(row["vector"], "<f4").astype(np.float64)
                members[row["emotion"]].append(vector)
            return {emotion: np.stack(vectors) for emotion, vectors in members.items()}
