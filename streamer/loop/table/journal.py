"""What of a table is done, in a file beside it, so that a table that was stopped goes on.

One JSON line a finished unit, written at once and in the order in which they finish. A line that a
kill or a power cut left unfinished is cut off when the journal is opened again. The table itself is
written from the journal, in the order of its units, when all are done; then the journal is gone.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from filelock import FileLock, Timeout

from streamer.errors import StreamerError
from streamer.loop.table.reader import Fault, UnitRows

SUFFIX: Final = ".part"
_KEY: Final = "key"


class Journal:
    """The finished units of one table, by their keys. Made by `open_journal`."""

    def __init__(self, file: BinaryIO, places: dict[str, int]) -> None:
        self._file = file
        self._places = places

    def __contains__(self, unit: str) -> bool:
        return unit in self._places

    def add(self, unit: str, rows: UnitRows) -> None:
        """Keep a finished unit: it outlives this process from now on."""
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(_line({"unit": unit, **asdict(rows)}))
        self._file.flush()
        self._places[unit] = at

    def read(self, unit: str) -> UnitRows:
        self._file.seek(self._places[unit])
        found = json.loads(self._file.readline())
        faults = [Fault(**fault) for fault in found["faults"]]
        return UnitRows(found["rows"], faults, found["notices"])

    def rows(self, units: Sequence[str]) -> Iterator[UnitRows]:
        """Finished units in the order asked, one in memory at a time."""
        return (self.read(unit) for unit in units)


@contextmanager
def open_journal(table: Path, key: str) -> Iterator[Journal]:
    """The journal of a table to be written to `table`.

    key: of all that its rows depend on beside the recordings; the journal of another key is
    started anew. Inside, no other process writes the same table. Deleted where the block ends
    without an error.

    Raises StreamerError where another process is writing the table.
    """
    path = table.with_name(table.name + SUFFIX)
    lock = FileLock(table.with_name(f"{table.name}{SUFFIX}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StreamerError(
            f"another process is writing {table}: wait for it, or give another --out"
        ) from None
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            places = _finished(file, key)
            if places is None:
                file.seek(0)
                file.truncate()
                file.write(_line({_KEY: key}))
                file.flush()
                places = {}
            yield Journal(file, places)
        path.unlink()
        Path(lock.lock_file).unlink(missing_ok=True)
    finally:
        lock.release()


def _finished(file: BinaryIO, key: str) -> dict[str, int] | None:
    """Where each finished unit begins; None for a journal of something else."""
    first = file.readline()
    if first != _line({_KEY: key}):
        return None
    places: dict[str, int] = {}
    while True:
        at = file.tell()
        line = file.readline()
        found = _whole(line)
        if found is None:
            file.seek(at)
            file.truncate()
            return places
        places[found["unit"]] = at


def _whole(line: bytes) -> dict[str, Any] | None:
    """The finished unit in a line; None at the end, and for a line that was not written whole."""
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and "unit" in found else None


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
