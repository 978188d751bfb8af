"""Deleting a whole profile without writing to the disk first.

A full disk, a damaged database and one of a newer version must not keep anybody from deleting: so
nothing is opened that would have to be written, and files are unlinked.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from streamer.errors import ProfileBusy, ProfileError
from streamer.store.copies import Copies
from streamer.store.labelling_sign import SIGN_NAME
from streamer.store.profile import FILE_NAME, LOCK_NAME, PAGES_TOKEN_NAME, PATIENCE_S, TOKEN_NAME
from streamer.text import path_text

_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def delete_profile(folder: Path) -> None:
    """Delete a profile's files and all copies of them; the folder too if that empties it.

    Raises ProfileBusy, and deletes nothing, where another process has it open: what that one would
    store now could not be found again. Raises ProfileError where a file cannot be deleted.
    """
    database = folder / FILE_NAME
    lock = FileLock(folder / LOCK_NAME, mode=0o600, thread_local=False)
    try:
        with lock.acquire(timeout=PATIENCE_S), _alone(database):
            copies = Copies(folder)
            copies.delete_scratch()
            copies.delete_databases()
            # The database last: whatever stops this, it can be repeated.
            tokens = (f"{TOKEN_NAME}*", f"{PAGES_TOKEN_NAME}*")
            for pattern in (*tokens, "playback-*", SIGN_NAME, f"{FILE_NAME}?*", FILE_NAME):
                for path in folder.glob(pattern):
                    path.unlink(missing_ok=True)
            copies.delete_left()  # their locks, which nobody holds any more
    except Timeout as error:
        raise ProfileBusy(
            f"profile {path_text(folder.name)!r} is in use by {_holder(database)}: stop that one, "
            "then repeat this"
        ) from error
    except OSError as error:
        raise ProfileError(
            f"cannot delete {error.filename or folder}: {error.strerror}: make it deletable, then "
            "repeat this"
        ) from error
    (folder / LOCK_NAME).unlink(missing_ok=True)
    with suppress(OSError):  # it holds something that is not ours
        folder.rmdir()


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Nobody else has the database open, nor can open it, inside. Raises ProfileBusy."""
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=0.0, isolation_level=None)) as opened:
        try:
            # Before the first access: such a connection needs no shared memory, so no room for it.
            opened.execute("PRAGMA locking_mode = EXCLUSIVE")
            opened.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            # Any other error comes after the lock: the disk is full, or the file is damaged.
            if error.sqlite_errorcode & 0xFF in _BUSY:
                raise ProfileBusy(
                    f"{database}: another process has it open: stop that one, then repeat this"
                ) from error
        yield


def _holder(database: Path) -> str:
    """The process that has taken the profile over, as far as that can be read."""
    with suppress(sqlite3.Error):
        address = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0.0)) as opened:
            row = opened.execute("SELECT value FROM meta WHERE key = 'holder'").fetchone()
            return str(row[0]) if row else "another process"
    return "another process"
