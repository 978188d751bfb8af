"""Folders and files that only their owner can read, whatever the umask.

Profiles, exports, logs and models (a tuned one contains speech of its owner) are written through
this module.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, all of them 0700; existing ones stay as they are.

    `Path.mkdir` gives its mode to the last one only, and the umask takes from it. Raises OSError.
    """
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        with suppress(FileExistsError):  # made by another process meanwhile
            path.mkdir(FOLDER_MODE)
            path.chmod(FOLDER_MODE)
    if not folder.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def private_opener(path: str, flags: int) -> int:
    """An opener for `open`: a file that is made is 0600."""
    descriptor = os.open(path, flags, FILE_MODE)
    if flags & os.O_CREAT and hasattr(os, "fchmod"):
        os.fchmod(descriptor, FILE_MODE)
    return descriptor


def make_private_file(path: Path) -> None:
    """Make an empty file, 0600, where there is none, for a library to fill. Raises OSError."""
    with suppress(FileExistsError):
        os.close(private_opener(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def write_private(path: Path, content: bytes) -> None:
    """Write a file, 0600, completely or not at all, to the disk. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=private_opener) as file:  # of Path, none
            file.write(content)
        commit_private(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def commit_private(part: Path, path: Path) -> None:
    """Give a finished file its place; its content and its name are then on the disk."""
    part.chmod(FILE_MODE)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
