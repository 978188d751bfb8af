"""Every place outside its database where a copy of what a profile holds may lie.

    profile-*.db    what `reembed` left: the profile as it was before
    scratch-*       plain copies while an export or import runs; also names its place elsewhere
    playing-*       a clip that is being labelled on a machine without sound output

A place is made through this module or not at all, so that forgetting finds all of them. Each folder
has a lock beside it, held by the process that made it for as long as that lives: process numbers
say nothing, since every container has a process 1.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from filelock import FileLock, Timeout

from streamer.errors import ProfileError
from streamer.store.place import trouble
from streamer.system import make_private_folder, private_opener

SCRATCH: Final = "scratch-"
PLAYING: Final = "playing-"
_LOCK: Final = ".lock"
_ELSEWHERE: Final = "elsewhere"
_PART: Final = ".part"
_DATABASES: Final = "profile-*.db*"
# Of versions that put the number of a process in a name, or had one folder for all.
_FORMER: Final = ("playing", "scratch-*")


class Scratch:
    """A private folder inside a profile, for a while. Use it in a `with` block, or `close` it.

    Raises ProfileError where it cannot be made.
    """

    def __init__(self, profile: Path, kind: str = SCRATCH) -> None:
        try:
            descriptor, lock = tempfile.mkstemp(_LOCK, kind, profile)
            os.close(descriptor)
            # The lock first: an unlocked folder is one that a killed process left.
            self._lock = FileLock(lock, mode=0o600, thread_local=False)
            self._lock.acquire(blocking=False)
            self.path = Path(lock).with_suffix("")
            make_private_folder(self.path)
        except (OSError, Timeout) as error:
            why = trouble(profile / "profile.db") or "free some disk space"
            raise ProfileError(f"cannot write to {profile}: {why}") from error

    def part_of(self, place: Path) -> Path:
        """Where a file or folder that is to appear at `place` is written until it is whole.

        It lies beside `place`, as it could not be moved there at once from another disk, and is
        deleted with this scratch, also after a kill. Raises OSError.
        """
        place = place.absolute()
        part = place.with_name(f".{place.name}.{self.path.name}{_PART}")
        with open(self.path / _ELSEWHERE, "wb", opener=private_opener) as file:
            file.write(os.fsencode(part))
        return part

    def close(self) -> None:
        """Delete it. May be repeated."""
        _delete(self.path)
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Copies:
    """The copies of one profile. folder: the profile's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scratch(self) -> Scratch:
        """For plain copies of an export or import. Raises ProfileError."""
        return Scratch(self._folder)

    @contextmanager
    def playing(self) -> Iterator[Path | None]:
        """A folder for clips that are played elsewhere; None where none can be made."""
        try:
            scratch = Scratch(self._folder, PLAYING)
        except ProfileError:
            yield None
            return
        with scratch:
            yield scratch.path

    def databases(self) -> list[Path]:
        """What `reembed` left, oldest first."""
        return [p for p in sorted(self._folder.glob(_DATABASES)) if p.suffix == ".db"]

    def delete_databases(self) -> None:
        """Delete what `reembed` left."""
        for path in self._folder.glob(_DATABASES):
            path.unlink(missing_ok=True)

    def delete_played(self) -> None:
        """Delete every clip that is being labelled, whoever plays it."""
        self._delete_folders((f"{PLAYING}*", "playing"))

    def delete_scratch(self) -> None:
        """Delete all folders, also of processes that live: what they copy is to be forgotten."""
        self._delete_folders((f"{PLAYING}*", f"{SCRATCH}*", *_FORMER))

    def delete_left(self) -> None:
        """Delete the folders of processes that were killed."""
        for kind in (SCRATCH, PLAYING):
            for path in self._folder.glob(f"{kind}*{_LOCK}"):
                lock = FileLock(path, mode=0o600, thread_local=False)
                with suppress(Timeout, OSError), lock.acquire(blocking=False):
                    _delete(path.with_suffix(""))
                    path.unlink(missing_ok=True)
        for pattern in (f"{PLAYING}*", *_FORMER):
            for path in self._folder.glob(pattern):
                if path.suffix != _LOCK and not path.with_name(path.name + _LOCK).exists():
                    _delete(path)

    def _delete_folders(self, patterns: tuple[str, ...]) -> None:
        for pattern in patterns:
            for path in self._folder.glob(pattern):
                if path.suffix != _LOCK:  # a living process's own lock stays its own
                    _delete(path)


def _delete(folder: Path) -> None:
    """A scratch folder, and what it names elsewhere."""
    with suppress(OSError, ValueError):
        part = Path(os.fsdecode((folder / _ELSEWHERE).read_bytes()))
        # Nothing but what `part_of` names is ever deleted outside the profile.
        if part.name.startswith(".") and part.name.endswith(f".{folder.name}{_PART}"):
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
