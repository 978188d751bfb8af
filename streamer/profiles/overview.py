"""All profiles of a folder, at a glance."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ProfileError
from streamer.store.profile import FILE_NAME, Profile
from streamer.text import path_text


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One profile.

    Attributes
    ----------
    name : str
        As `--profile` takes it.
    sessions, utterances, labels : int
        How many; labels that count.
    disk_bytes : int
        Of its folder.
    last_used_at : float or None
        Start of its last session, in seconds since 1970.
    listening : str or None
        The process that listens with it now.
    problem : str or None
        Why it cannot be read; the counts are 0 then.
    """

    name: str
    sessions: int
    utterances: int
    labels: int
    disk_bytes: int
    last_used_at: float | None = None
    listening: str | None = None
    problem: str | None = None


def overview(home: Path) -> list[ProfileRow]:
    """The profiles in the folder of named ones, by name; none where there is no such folder."""
    try:
        folders = sorted(path for path in home.iterdir() if (path / FILE_NAME).is_file())
    except OSError:
        return []
    return [_row(folder) for folder in folders]


def _row(folder: Path) -> ProfileRow:
    name, size = path_text(folder.name), folder_bytes(folder)
    try:
        with closing(Profile(folder)) as profile:
            sessions = profile.sessions.all()
            return ProfileRow(
                name=name,
                sessions=len(sessions),
                utterances=profile.utterances.count(),
                labels=profile.labels.count(),
                disk_bytes=size,
                last_used_at=sessions[-1].started_at if sessions else None,
                listening=profile.holder(),
            )
    except ProfileError as error:
        return ProfileRow(name, 0, 0, 0, size, problem=str(error))


def folder_bytes(folder: Path) -> int:
    """The sizes of a profile's files together."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
