"""One SQLite connection: opening, transactions, and errors as StreamerErrors."""

import io
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from streamer.errors import (
    DiskFull,
    NotFound,
    ProfileBusy,
    ProfileDamaged,
    ProfileError,
    ProfileLocked,
)
from streamer.store.place import OTHER_PROFILE, is_full, moved, trouble
from streamer.store.schema import is_outdated, migrate

BUSY_TIMEOUT_S: Final = 20.0
# RuntimeError: what zipfile says of an entry that claims to be encrypted or oddly compressed.
UNREADABLE: Final = (
    ValueError, TypeError, LookupError, EOFError, OSError, BadZipFile, RuntimeError, zlib.error,
)  # fmt: skip


class Database:
    """A profile's database file, created when missing. `path` ":memory:" makes a private one.

    Write-ahead log, foreign keys, full synchronization (an acknowledged label survives a power
    cut), deleted rows overwritten with zeros. Threads may share it: one at a time runs a statement,
    or a whole transaction. Raises ProfileError and its kinds.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._file = None if str(path) == ":memory:" else Path(path)
        self._identity: tuple[int, int] | None = None
        self._depth = 0
        self._erased = False
        self._closed = False
        self._guard: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._patience = threading.local()  # each thread has its own
        self._timeout_s = BUSY_TIMEOUT_S
        with self._statement():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            for pragma in (
                "secure_delete = ON",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
            if is_outdated(self._connection):
                with self.transaction():
                    migrate(self._connection)
        if self._file is not None:
            with suppress(OSError):
                found = self._file.stat()
                self._identity = found.st_dev, found.st_ino

    def check_place(self) -> None:
        """Raises ProfileError where the file was deleted or is no longer writable.

        SQLite itself reports this only on writing, and not at all for a deleted file.
        """
        if self._file is None or self._closed:
            return
        wrong = self._moved() or trouble(self._file)
        if wrong is not None:
            raise ProfileError(wrong)

    def _moved(self) -> str | None:
        if self._file is None or self._identity is None:
            return None
        return moved(self._file, self._identity)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._statement():
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._statement():
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def stream(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        """Rows one at a time, for those too many to hold; on a connection of one thread alone."""
        with _translated(self.path):
            yield from self._connection.execute(sql, values)

    def write(self, sql: str, *values: Any) -> int:
        """Run one statement; the id of the row it inserted."""
        with self._statement():
            return self._connection.execute(sql, values).lastrowid or 0

    def change(self, sql: str, *values: Any) -> int:
        """Run one statement; how many rows it changed."""
        with self._statement():
            return self._connection.execute(sql, values).rowcount

    def erase(self, sql: str, *values: Any) -> int:
        """As `change`, for data that must not stay readable in the write-ahead log."""
        with self.transaction():
            changed = self.change(sql, *values)
            self._erased = self._erased or changed > 0
        return changed

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """This thread waits so long for another program that writes, then ProfileLocked is raised.

        Without it, `BUSY_TIMEOUT_S`.
        """
        before = getattr(self._patience, "seconds", BUSY_TIMEOUT_S)
        self._patience.seconds = seconds
        try:
            yield
        finally:
            self._patience.seconds = before

    def is_locked(self) -> bool:
        """Whether another program is writing now, after this thread's patience."""
        with self._lock:
            if self._depth:
                return False
            try:
                with self._statement():
                    self._connection.execute("BEGIN IMMEDIATE")
                    self._connection.execute("ROLLBACK")
            except ProfileLocked:
                return True
        return False

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the connection: other threads wait."""
        with self._lock:
            yield

    @contextmanager
    def transaction(self, *, fold_later: bool = False) -> Iterator[None]:
        """An atomic transaction. A nested one joins the outer.

        Erased data leaves the log at its end; fold_later: at the next `fold_erased` instead.
        """
        with self._lock:
            if self._depth:
                yield
                return
            if (gone := self._moved()) is not None:
                raise ProfileError(gone)
            with self._statement():
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            erased = self._erased
            try:
                if self._guard is not None:
                    self._guard()
                yield
                with self._statement():
                    self._connection.execute("COMMIT")
            except BaseException:
                self._erased = erased
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
            if not fold_later:
                self.fold_erased()

    @contextmanager
    def guarded(self, guard: Callable[[], None]) -> Iterator[None]:
        """Every transaction inside begins with `guard`, and is none where that raises.

        It sees what the transaction sees, so no other process can come between.
        """
        with self._lock:
            outer, self._guard = self._guard, guard
            try:
                yield
            finally:
                self._guard = outer

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A consistent snapshot for reading, which does not block writers."""
        with self._lock:
            with self._statement():
                self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def vacuum(self) -> None:
        """Free unused pages, and checkpoint the log into the file: nothing deleted can be read.

        Free pages, which hold zeros, stay where the disk has no room to copy the others. Raises
        ProfileBusy where another process keeps reading what was deleted.
        """
        with suppress(DiskFull), self._statement():
            self._connection.execute("VACUUM")
        self.fold_log()

    def fold_log(self) -> None:
        """Move the write-ahead log into the file and empty it. Raises ProfileBusy."""
        with self._statement():
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise ProfileBusy(
                f"{self.path}: deleted, but the log beside it still holds it, since another "
                "process reads: stop that one, then repeat this"
            )

    def fold_erased(self) -> None:
        """As `fold_log`, if something was erased, and without waiting for other processes.

        Deleted data leaves the file at once. Where another process is reading, it stays readable in
        the log until the next call.
        """
        with self._lock:
            erased, self._erased = self._erased, False
            if erased:
                with suppress(ProfileError), self.patience(0.0), self._statement():
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def damage(self) -> list[str]:
        """Errors that SQLite finds in the file; [] for none."""
        with self._statement():
            found = self._connection.execute("PRAGMA quick_check(5)").fetchall()
        return [row[0] for row in found if row[0] != "ok"]

    def copy_to(self, path: Path) -> None:
        """Write the whole database, as it is now, to a new file."""
        with self._statement():
            self._connection.execute("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(path),))

    def close(self) -> None:
        """Checkpoint the log into the file, so that nothing deleted remains beside it.

        Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        with self._statement():
            # Where another process still reads, the last one to close does it.
            with suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    @contextmanager
    def _statement(self) -> Iterator[None]:
        with self._lock, _translated(self.path):
            wanted_s = getattr(self._patience, "seconds", BUSY_TIMEOUT_S)
            if wanted_s != self._timeout_s:
                self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * wanted_s)}")
                self._timeout_s = wanted_s
            yield


def is_of_earlier_version(path: Path) -> bool:
    """Whether opening it would change it. Raises ProfileError and its kinds."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return is_outdated(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ProfileDamaged(f"{path}: {error}") from error


@contextmanager
def _translated(path: Path | str) -> Iterator[None]:
    """Translate SQLite's errors, with a remedy."""
    try:
        yield
    except sqlite3.OperationalError as error:
        kind = _kind(path, error)
        raise kind(f"{path}: {error}: {_remedy(path, str(error))}") from error
    except sqlite3.IntegrityError:
        raise
    except OverflowError as error:
        raise NotFound(f"{path}: no row has so large a number: give a smaller one") from error
    except sqlite3.DatabaseError as error:
        raise ProfileDamaged(
            f"{path}: {error}: move the file away, or save what is readable with "
            f"`sqlite3 {path} .recover`"
        ) from error


def _kind(path: Path | str, error: sqlite3.OperationalError) -> type[ProfileError]:
    if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ProfileLocked
    return DiskFull if _is_full(path, error) else ProfileError


def _is_full(path: Path | str, error: sqlite3.OperationalError) -> bool:
    code = error.sqlite_errorcode & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return True
    # Where not even the log or its index can grow, SQLite speaks of input and output.
    unsaid = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return unsaid and str(path) != ":memory:" and is_full(Path(path).parent)


def _remedy(path: Path | str, message: str) -> str:
    if "locked" in message:
        return "another process is writing; close it, or try again"
    found = None if str(path) == ":memory:" else trouble(Path(path))
    if found is not None:
        return found
    if "full" in message or "disk I/O" in message:
        return "free some disk space, then start again; what was acknowledged is kept"
    if "readonly" in message or "unable to open" in message:
        return f"make the folder writable, {OTHER_PROFILE}"
    return "check the disk"


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as the bytes of an npz, without pickle."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **dict(arrays))
    return file.getvalue()


def unpack(blob: bytes) -> dict[str, NDArray[Any]]:
    """The inverse of `pack`, bit for bit. Raises ProfileDamaged."""
    with decoding("what was learned"), np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Treat errors in decoding stored values as damage."""
    try:
        yield
    except UNREADABLE as error:
        raise ProfileDamaged(
            f"{what} cannot be read back ({type(error).__name__}: {error}): "
            "restore a copy of the profile, or choose another with --profile"
        ) from error
