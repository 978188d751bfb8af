"""Recordings: a file, or all of a folder."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from streamer.audio.sources import signatures
from streamer.audio.sources.protocol import Delivered, HeardFiles
from streamer.audio.sources.recording import Recording
from streamer.errors import UnreadableAudio
from streamer.text import many, path_text
from streamer.types import Chunk, Notice

BLOCK_S: Final = 0.5
REALTIME_BLOCK_S: Final = 0.1
NAMED: Final = 5
SUFFIXES: Final = frozenset(
    (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au",
     ".snd", ".caf", ".w64", ".rf64", ".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2",
     ".aac", ".webm", ".weba", ".mka", ".mkv", ".wma", ".wmv", ".asf", ".avi", ".amr", ".ac3",
     ".mp2", ".mpg", ".mpeg", ".ts", ".flv", ".wv", ".ape", ".tta")
)  # fmt: skip


class FileSource:
    """A file, or a folder's audio files in the order of their paths, subfolders included.

    Read in blocks, so memory does not depend on the length. In a folder, files are known by
    their suffix, hidden ones (a name that starts with a dot) are skipped, and one that cannot be
    read is a Notice; a chunk's source is the path within the folder, or the file's name.
    realtime: hand out each block when a microphone would have had it. heard_files: what was heard
    before is skipped, with a Notice, unless `again`; what is heard to its end is added.

    Raises UnreadableAudio where there is nothing to hear.
    """

    kind = "file"

    def __init__(
        self,
        path: Path,
        *,
        realtime: bool = False,
        heard_files: HeardFiles | None = None,
        again: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = path_text(path)
        self._realtime = realtime
        self._heard_files = heard_files
        self._again = again
        self._clock = clock
        self._sleep = sleep
        self._closed = False
        self._is_folder = path.is_dir()
        self._folder = path if self._is_folder else path.parent
        self._paths = audio_files(path) if self._is_folder else [path]
        left_out = left_out_notice(path, self._paths) if self._is_folder else None
        self._notices: list[Notice] = [] if left_out is None else [left_out]
        self._open: Recording | None = None
        first = self._next_recording()
        if first is None:
            raise UnreadableAudio(
                f"{path} holds no audio that can be read ({self._first_reason()}); "
                "give a file or folder with WAV, FLAC, OGG, Opus or MP3"
            )
        self._first = first
        self.rate_hz = first[1].rate_hz
        self.channels = first[1].channels

    def __iter__(self) -> Iterator[Delivered]:
        started_s = self._clock()
        heard_s = 0.0
        current: tuple[str, Recording] | None = self._first
        while current is not None and not self._closed:
            name, recording = current
            yield from self._take_notices()
            sha256 = "" if self._heard_files is None else _sha256(self._current)
            known = self._known(sha256, name)
            if known is not None:
                yield known
                recording.close()
                current = self._next_recording()
                continue
            block_s = REALTIME_BLOCK_S if self._realtime else BLOCK_S
            heard = 0
            for samples in recording.blocks(max(1, round(block_s * recording.rate_hz))):
                heard += len(samples)
                heard_s += len(samples) / recording.rate_hz
                if self._realtime:
                    self._sleep_until(started_s + heard_s)
                yield Chunk(samples, recording.rate_hz, name)
                if self._closed:
                    return
            recording.close()
            if not heard and not self._is_folder:
                raise UnreadableAudio(
                    f"{self.name} holds nothing that can be heard "
                    f"({recording.notices[0].text if recording.notices else 'no samples'}); "
                    "give another recording"
                )
            for notice in recording.notices:
                yield Notice(f"{name}: {notice.text}", notice.kind)
            if self._heard_files is not None:
                self._heard_files.add(sha256, name)
            current = self._next_recording()
        yield from self._take_notices()

    def close(self) -> None:
        self._closed = True
        if self._open is not None:
            self._open.close()

    def _next_recording(self) -> tuple[str, Recording] | None:
        """The next file that can be read, with its name; the others leave a notice."""
        while self._paths:
            path = self._paths.pop(0)
            name = path_text(path.relative_to(self._folder))
            try:
                self._open = Recording(path)
                self._current = path
            except UnreadableAudio as error:
                if not self._is_folder:
                    raise
                self._notices.append(Notice(f"skipped: {error}", "skipped_file"))
            else:
                return name, self._open
        return None

    def _known(self, sha256: str, name: str) -> Notice | None:
        """What is said of a file that was heard before; None for one that is to be heard."""
        if self._heard_files is None or self._again:
            return None
        before = self._heard_files.name_of(sha256)
        if before is None:
            return None
        under = "" if before == name else f" as {before}"
        return Notice(
            f"{name} was processed before{under} and is skipped; to process it again: --again",
            "already_heard",
        )

    def _take_notices(self) -> Iterator[Notice]:
        notices, self._notices = self._notices, []
        yield from notices

    def _first_reason(self) -> str:
        skipped = [notice.text for notice in self._notices if notice.text.startswith("skipped")]
        return skipped[0] if skipped else "no file has a known suffix"

    def _sleep_until(self, until_s: float) -> None:
        ahead_s = until_s - self._clock()
        if ahead_s > 0:
            self._sleep(ahead_s)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def audio_files(folder: Path) -> list[Path]:
    """The folder's audio files by suffix or first bytes, without hidden ones, sorted by path."""
    return [
        path
        for path in _visible_files(folder)
        if path.suffix.lower() in SUFFIXES or _begins_as_audio(path)
    ]


def left_out_notice(folder: Path, heard: Collection[Path]) -> Notice | None:
    """Which files of a folder are not heard, as they are no audio; None where there are none."""
    paths = set(heard)
    names = [
        path_text(path.relative_to(folder)) for path in _visible_files(folder) if path not in paths
    ]
    if not names:
        return None
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    text = f"skipped, not audio: {many(len(names), 'file')} ({', '.join(names[:NAMED])}{more})"
    return Notice(text, "skipped_file")


def _visible_files(folder: Path) -> list[Path]:
    """Sorted by their paths within the folder."""
    within = [path.relative_to(folder) for path in folder.rglob("*")]
    return [
        folder / path
        for path in sorted(within, key=lambda path: path.as_posix())
        if not any(part.startswith(".") for part in path.parts) and (folder / path).is_file()
    ]


def _begins_as_audio(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return signatures.audio_format(file.read(signatures.LOOK_BYTES)) is not None
    except OSError:
        return False
