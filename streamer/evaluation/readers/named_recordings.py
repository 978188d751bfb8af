"""The recordings of a folder, found by what somebody's table calls them."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from streamer.audio.sources.files import audio_files
from streamer.errors import UsageError


class NamedRecordings:
    """Audio files of a folder, by the end of their path, with or without its suffix.

    The file anna/01.wav is found as 01.wav, 01, anna/01 and /their/corpus/anna/01.wav, also with
    backslashes, but not as ben/01.wav.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = [path.relative_to(folder).as_posix() for path in audio_files(folder)]
        self._by_name: dict[str, list[PurePosixPath]] = {}
        for path in map(PurePosixPath, self.paths):
            for name in {path.name, path.stem}:
                self._by_name.setdefault(name, []).append(path)

    def find(self, name: str) -> str | None:
        """The path within the folder, or None. Raises UsageError where several could be meant."""
        asked = PurePosixPath(name.replace("\\", "/"))
        alike = self._by_name.get(asked.name, [])
        if asked in alike or asked in [path.with_suffix("") for path in alike]:
            alike = [path for path in alike if asked in (path, path.with_suffix(""))]
        else:
            alike = [path for path in alike if _one_ends_as_the_other(path.parts, asked.parts)]
        if len(alike) > 1:
            raise UsageError(
                f"{name!r} could be {' or '.join(map(str, alike[:2]))}: give the path within the "
                "folder, with its suffix"
            )
        return str(alike[0]) if alike else None


def _one_ends_as_the_other(first: Sequence[str], second: Sequence[str]) -> bool:
    """Their last parts, which are known to name the same, aside."""
    count = min(len(first), len(second))
    return list(first[-count:-1]) == list(second[-count:-1])
