"""Audio stored in a profile: clips of open questions, and recordings kept by the privacy mode."""

from typing import Final

from streamer.store.database import Database
from streamer.store.marks import ProfileMarks
from streamer.store.utterances import OPEN_QUERIES

_OLDEST: Final = """
    SELECT utterance, length(clip) AS bytes FROM queries WHERE clip IS NOT NULL
    UNION ALL
    SELECT utterance, length(audio) FROM recordings
    ORDER BY utterance
"""


class Audio:
    """FLAC bytes, by the number of their utterance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, utterance: int, audio: bytes, now: float) -> None:
        """Keep the audio of an utterance, whether queried or not, labelled or not."""
        self._database.write(
            "INSERT INTO recordings (utterance, audio, kept_at) VALUES (?, ?, ?)",
            utterance,
            audio,
            now,
        )

    def has_clip(self, utterance: int) -> bool:
        """Whether there is a clip, without reading it."""
        row = self._database.row(
            """SELECT EXISTS (SELECT 1 FROM queries WHERE utterance = ?1 AND clip IS NOT NULL)
                   OR EXISTS (SELECT 1 FROM recordings WHERE utterance = ?1) AS found""",
            utterance,
        )
        return bool(row and row["found"])

    def clip(self, utterance: int) -> bytes | None:
        """The audio of an utterance, as a clip or a kept recording."""
        row = self._database.row(
            """SELECT coalesce((SELECT clip FROM queries WHERE utterance = ?1),
                               (SELECT audio FROM recordings WHERE utterance = ?1)) AS audio""",
            utterance,
        )
        return row["audio"] if row else None

    def kept(self) -> int:
        """The number of utterances with kept recordings."""
        row = self._database.row("SELECT count(*) FROM recordings")
        return int(row[0]) if row else 0

    def size(self) -> tuple[int, int]:
        """How many there are, and their bytes together."""
        row = self._database.row(f"SELECT count(*), coalesce(sum(bytes), 0) FROM ({_OLDEST})")
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def expire_through(self, utterance: int) -> int:
        """Delete the audio of utterances up to this one; returns how many."""
        with self._database.transaction():
            gone = self._database.erase("DELETE FROM recordings WHERE utterance <= ?", utterance)
            if gone:
                ProfileMarks(self._database).deleted()
        return gone

    def keep_within(self, most_bytes: float, now: float) -> int:
        """Delete the oldest until the rest fits; their questions are closed. How many."""
        over = self.size()[1] - most_bytes
        if over <= 0:
            return 0
        with self._database.transaction():
            gone = 0
            for row in self._database.rows(_OLDEST):
                if over <= 0:
                    break
                over -= row["bytes"]
                gone += 1
                self._delete(row["utterance"], now)
        return gone

    def delete_all(self) -> int:
        """Delete all audio, also from the write-ahead log; questions stay open. Returns how many.

        Raises ProfileBusy where another process keeps reading.
        """
        count, _ = self.size()
        with self._database.transaction():
            self._database.write("UPDATE queries SET clip = NULL WHERE clip IS NOT NULL")
            self._database.write("DELETE FROM recordings")
            ProfileMarks(self._database).deleted()
        self._database.vacuum()  # even where none is: a log may still hold what is gone
        return count

    def _delete(self, utterance: int, now: float) -> None:
        self._database.erase("DELETE FROM recordings WHERE utterance = ?", utterance)
        self._database.write(
            f"""UPDATE queries SET expired_at = ?
                WHERE utterance = ? AND utterance IN (SELECT q.utterance {OPEN_QUERIES})""",
            now,
            utterance,
        )
        self._database.erase(
            "UPDATE queries SET clip = NULL WHERE utterance = ? AND clip IS NOT NULL", utterance
        )
