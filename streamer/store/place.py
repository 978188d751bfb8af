"""Why a profile's folder is unusable: missing, full, read-only, or another user's."""

import os
from pathlib import Path
from typing import Final

OTHER_PROFILE: Final = "or choose another with --profile"


def trouble(file: Path) -> str | None:
    """What is wrong with the location of a profile's database, and the remedy; None for nothing."""
    folder = file.parent
    try:
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "is not there"
            return f"{folder} {what}: it was moved or deleted; move it back, {OTHER_PROFILE}"
        disk = os.statvfs(folder) if hasattr(os, "statvfs") else None
        files = [folder, *(path for path in folder.glob(f"{file.name}*") if path.exists())]
    except OSError as error:
        return f"{folder} cannot be looked at ({error.strerror}); {OTHER_PROFILE}"
    if disk is not None and disk.f_flag & os.ST_RDONLY:
        return (
            f"the disk of {folder} can only be read: mount it for writing (sudo mount -o "
            f"remount,rw ...), {OTHER_PROFILE}"
        )
    if disk is not None and _has_no_room(disk):
        return (
            f"the disk of {folder} is full: free some disk space, then start again; what was "
            "acknowledged is kept"
        )
    for path in files:
        if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return (
                f"{path} belongs to {_owner(path)}, and this user may not write it: sudo chown -R "
                f"$USER {folder}, {OTHER_PROFILE}"
            )
    return None


def moved(file: Path, identity: tuple[int, int]) -> str | None:
    """Whether the file of an open database was deleted or replaced, as text; None if not.

    SQLite itself continues, and writes into the unlinked file.
    """
    try:
        found = file.stat()
    except OSError:
        what = "is gone"
    else:
        if (found.st_dev, found.st_ino) == identity:
            return None
        what = "is no longer the file that was opened"
    return (
        f"{file} {what}: the profile was moved, deleted or replaced while it was in use; what was "
        "stored until then is where it went; move it back, then start again"
    )


def is_full(folder: Path) -> bool:
    """Nothing more can be written to the disk of a folder."""
    try:
        return hasattr(os, "statvfs") and _has_no_room(os.statvfs(folder))
    except OSError:
        return False


def _has_no_room(disk: os.statvfs_result) -> bool:
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    return free == 0 or (disk.f_files > 0 and disk.f_ffree == 0)


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError, OSError):
        return f"user {path.stat().st_uid}"
