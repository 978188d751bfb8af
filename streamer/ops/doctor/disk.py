"""Checks of the disk: free space, the profile's integrity and permissions, and the clock."""

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from streamer.config import Config
from streamer.encoders.registry import known_encoders
from streamer.errors import OtherEncoder, ProfileDamaged, ProfileError, StreamerError
from streamer.ops.doctor.finding import Finding, fail, ok, warn
from streamer.store.database import is_of_earlier_version
from streamer.store.profile import FILE_NAME, Profile, profile_folder

LITTLE_BYTES: Final = 1_000_000_000
LEAST_BYTES: Final = 50_000_000
# systemd-timesyncd creates it once the clock is set.
SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")
SET_CLOCK: Final = "sudo timedatectl set-ntp true"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def examine(config: Config, wall_s: Callable[[], float] = time.time) -> Iterator[Finding]:
    try:
        folder = profile_folder(config.profile, config.home)
    except StreamerError as error:
        yield fail("profile", error)
        return
    yield room(folder)
    newest_s = None
    try:
        if (folder / FILE_NAME).is_file():
            yield privacy(folder)
            finding, newest_s = integrity(folder, config)
            yield finding
        else:
            yield ok("profile", f"none yet in {folder}")
    except OSError as error:
        closed = ProfileError(f"{folder} cannot be read: {error.strerror}")
        yield fail("profile", closed, f"sudo chown -R $USER {folder}, or another --profile")
    yield clock(wall_s(), newest_s)


def room(folder: Path) -> Finding:
    """Free space in the profile's folder or its parent, and whether it may be written."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    if not os.access(there, os.W_OK | os.X_OK):
        error = ProfileError(f"{there} cannot be written by this user")
        return fail("disk", error, f"sudo chown -R $USER {there}, or another --profile")
    free = shutil.disk_usage(there).free
    said = f"{free / 1e9:.1f} GB free in {there}"
    if free < LEAST_BYTES:
        return fail("disk", ProfileError(said), "free some space")
    if free < LITTLE_BYTES:
        return warn("disk", said, "free some space; a profile grows with every utterance")
    return ok("disk", said)


def privacy(folder: Path) -> Finding:
    """Whether only the owner can read the profile."""
    files = [folder, *folder.iterdir()]
    if os.name == "posix" and any(file.stat().st_mode & _OTHERS for file in files):
        return warn("privacy", f"other users can read {folder}", f"chmod -R go= {folder}")
    return ok("privacy", f"only you can read {folder}")


def integrity(folder: Path, config: Config) -> tuple[Finding, float | None]:
    """Whether the database is intact and its encoder known; the time of its last utterance."""
    try:
        if is_of_earlier_version(folder / FILE_NAME):
            return ok(
                "profile", "of an earlier version; the next command that opens it migrates it"
            ), None
        profile = Profile(folder)
        try:
            damage = profile.database.damage()
            newest_s = max((u.heard_at for u in profile.sessions.recent(1)), default=None)
            name, sha256 = profile.meta("encoder"), profile.meta("encoder_sha256")
        finally:
            profile.close()
        if damage:
            raise ProfileDamaged(f"{folder / FILE_NAME}: {damage[0]}")
        known = {row.sha256 for row in known_encoders(config.models)}
    except ProfileDamaged as error:
        return fail("profile", error, f"sqlite3 {folder / FILE_NAME} .recover"), None
    except StreamerError as error:
        return fail("profile", error), None
    if sha256 is not None and sha256 not in known:
        gone = OtherEncoder(f"learned with encoder {name} ({sha256[:12]}), which is not installed")
        return fail("profile", gone, "streamer reembed, or streamer models add"), newest_s
    return ok("profile", "intact"), newest_s


def clock(now_s: float, newest_s: float | None, synchronized: Path = SYNCHRONIZED) -> Finding:
    """newest_s: the time of the last utterance, which cannot lie in the future.

    A board without a battery-backed clock starts in the past until the network sets it.
    """
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(now_s))
    program_s = Path(__file__).stat().st_mtime
    if newest_s is not None and newest_s > now_s + 60.0:
        return warn("clock", f"{shown} is before the newest utterance of the profile", SET_CLOCK)
    if program_s > now_s + 86_400.0:
        return warn("clock", f"{shown} is before this program was installed", SET_CLOCK)
    return ok("clock", f"{shown}{', synchronized' if synchronized.exists() else ''}")
