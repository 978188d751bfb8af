"""Event markers of sessions: what happened around the speech, on the clock of the source."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.store.database import Database


@dataclass(frozen=True, slots=True)
class Marker:
    """One event marker.

    Attributes
    ----------
    id, session : int
    name : str
    origin : str
        How it came: "key", "stdin", "http", "protocol" or "python".
    source : str
        The file or device that was heard.
    at_s : float
        On the clock of the source, in seconds.
    error_s : float or None
        Bound of its error, in seconds; None for recordings, where it is the position processed.
    given_at : float
        Seconds since 1970.
    """

    id: int
    session: int
    name: str
    origin: str
    source: str
    at_s: float
    error_s: float | None
    given_at: float


class Markers:
    """Adds and reads markers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        session: int,
        name: str,
        origin: str,
        source: str,
        at_s: float,
        error_s: float | None,
        given_at: float,
    ) -> int:
        """A new marker; its id. Units as in `Marker`."""
        return self._database.write(
            """INSERT INTO markers (session, name, origin, source, at_s, error_s, given_at)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            session,
            name,
            origin,
            source,
            at_s,
            error_s,
            given_at,
        )

    def of_session(self, session: int | None = None) -> Sequence[Marker]:
        """Those of one session, or of all, in order."""
        rows = self._database.rows(
            "SELECT * FROM markers WHERE ? IS NULL OR session = ? ORDER BY id", session, session
        )
        return [Marker(**dict(row)) for row in rows]

    def delete_before(self, until: float) -> int:
        """Delete those given before a time, in seconds since 1970; how many."""
        return self._database.erase("DELETE FROM markers WHERE given_at < ?", until)
