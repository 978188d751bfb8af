"""The recordings that a profile has processed completely, by content."""

from streamer.store.database import Database


class HeardFiles:
    """sha256 of every file that was processed to its end, with its name at that time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def name_of(self, sha256: str) -> str | None:
        """The name under which it was processed; None where it was not."""
        rows = self._database.rows("SELECT name FROM heard_files WHERE sha256 = ?", sha256)
        return str(rows[0]["name"]) if rows else None

    def add(self, sha256: str, name: str) -> None:
        self._database.write(
            "INSERT INTO heard_files (sha256, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
            sha256,
            name,
        )

    def forget_unused(self) -> None:
        """Delete entries without remaining utterances."""
        self._database.write(
            "DELETE FROM heard_files WHERE name NOT IN (SELECT source FROM utterances)"
        )
