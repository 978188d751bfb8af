"""A screen that shows everything on another one, and keeps a log of what somebody should know.

For runs that nobody watches. Starts, notices and ends are kept, and a line an hour; no prediction,
no emotion, no label: what was said belongs into the profile, which can be forgotten.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from streamer.errors import UsageError
from streamer.events import Drifted, Ended, Event, Noticed, Started, Status
from streamer.loop.run import Screen
from streamer.terminal.lines import clock, describe
from streamer.text import many

LARGEST_BYTES: Final = 500_000
KEPT: Final = 4
EVERY_S: Final = 3600.0
_KEPT_EVENTS: Final = (Started, Noticed, Drifted, Ended)


class LogFile:
    """Lines appended to `path`, for its owner alone; full, it becomes PATH.1, that PATH.2, ...

    Later, a line that cannot be written is left out: a full disk must not end the hearing.
    now_s: a steady clock, for the line an hour. Raises UsageError where nothing can be written.
    """

    def __init__(self, screen: Screen, path: Path, now_s: Callable[[], float]) -> None:
        self._screen = screen
        self._path = path
        self._now_s = now_s
        self._told_s = now_s()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open().close()
        except OSError as error:
            raise UsageError(
                f"--log {path} cannot be written ({error.strerror}): give a file of yours"
            ) from error

    def show(self, event: Event) -> None:
        self._screen.show(event)
        if isinstance(event, _KEPT_EVENTS):
            self._write(describe(event).replace("\n", "; "))

    def refresh(self, status: Callable[[], Status]) -> None:
        now_s = self._now_s()
        if now_s - self._told_s >= EVERY_S:
            self._told_s = now_s
            now = status()
            self._write(
                f"heard {clock(now.audio_s)}: {many(now.utterances, 'utterance')}, "
                f"{many(now.labels, 'label')}, {now.open_queries} open, "
                f"{sum(now.dropped_samples.values()):,} samples dropped, "
                f"real-time factor {now.realtime_factor:.3f}"
            )
        self._screen.refresh(status)

    def close(self) -> None:
        self._screen.close()

    def _write(self, line: str) -> None:
        with suppress(OSError):
            if self._path.exists() and self._path.stat().st_size > LARGEST_BYTES:
                self._rotate()
            with self._open() as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")

    def _open(self) -> TextIO:
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(opened, "a", encoding="utf-8")

    def _rotate(self) -> None:
        for number in range(KEPT - 1, -1, -1):
            old = Path(f"{self._path}.{number}") if number else self._path
            if old.exists():
                old.replace(f"{self._path}.{number + 1}")
