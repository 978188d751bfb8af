"""What is heard in one go: a recording, or a folder's recordings where a folder is one speaker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from streamer.audio.sources.files import audio_files, left_out_notice
from streamer.errors import UnreadableAudio, UsageError
from streamer.text import path_text


@dataclass(frozen=True, slots=True)
class Unit:
    """Recordings that one voice's model hears one after the other, from the profile's state on.

    speaker: what the rows say; None where rows say none, or the channel decides.
    size_bytes: of the files, by which the time to go is estimated.
    """

    files: tuple[Path, ...]
    speaker: str | None = None
    size_bytes: int = 0

    def key(self) -> str:
        """Changes when a file is changed, so that a table that is resumed reads it anew."""
        parts = []
        for path in self.files:
            try:
                stat = path.stat()
                parts.append(f"{path_text(path)} {stat.st_size} {stat.st_mtime_ns}")
            except OSError:
                parts.append(f"{path_text(path)} missing")
        return "\n".join([self.speaker or "", *parts])

    def __str__(self) -> str:
        return path_text(self.files[0])


@dataclass(frozen=True, slots=True)
class Listing:
    """Units in the order of their rows, and what was left out of the folders."""

    units: Sequence[Unit]
    notices: Sequence[str]

    @property
    def files(self) -> int:
        return sum(len(unit.files) for unit in self.units)


def list_units(paths: Iterable[Path], speaker: str | None) -> Listing:
    """Every recording once, in the order given, folders in the order of their paths.

    Parameters
    ----------
    paths
        Recordings and folders. A file is taken whatever its name; of a folder, those that
        `run --input FOLDER` would hear.
    speaker
        ``"folder"``: the recordings directly in one folder are one voice.

    Raises
    ------
    UnreadableAudio
        There is nothing to hear.
    """
    files: dict[Path, Path] = {}
    notices: list[str] = []
    for path in paths:
        if str(path) == "-":
            raise UsageError("standard input is no recording that can be read again: give files")
        found = audio_files(path) if path.is_dir() else [path]
        notice = left_out_notice(path, found) if path.is_dir() else None
        if notice is not None:
            notices.append(f"{path_text(path)}: {notice.text}")
        for file in found:
            files.setdefault(file.absolute(), file)
    if not files:
        raise UnreadableAudio("no recordings found: give files or folders with WAV, FLAC, OGG...")
    if speaker != "folder":
        units = [Unit((file,), None, _size(file)) for file in files.values()]
        return Listing(units, notices)
    by_folder = sorted(files.values(), key=lambda file: (path_text(file.parent), path_text(file)))
    units = []
    for folder, group in groupby(by_folder, key=lambda file: file.parent):
        members = tuple(group)
        units.append(Unit(members, path_text(folder), sum(map(_size, members))))
    return Listing(units, notices)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
