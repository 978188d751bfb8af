"""A log file for unattended runs.

It contains starts, notices and ends, and one line an hour; no prediction, emotion or label: those
are only in the profile, where `streamer forget` can delete them.
"""

import logging
import os
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from streamer.errors import UsageError
from streamer.events import Ended, Event, Noticed, Started, Status
from streamer.system import make_private_folder
from streamer.terminal.lines import clock, describe
from streamer.text import many

LARGEST_BYTES: Final = 500_000
KEPT: Final = 4
EVERY_S: Final = 3600.0
_KEPT_EVENTS: Final = (Started, Noticed, Ended)


class _PrivateFile(RotatingFileHandler):
    """Readable by the owner only; a line that cannot be written is skipped."""

    def _open(self) -> TextIOWrapper:
        opened = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(opened, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk must not end the run."""


class LogFile:
    """Lines appended to a file; when it is full, it becomes PATH.1, that PATH.2, ...

    Parameters
    ----------
    path
        The file; its folder is created.
    now_s
        A monotonic clock in seconds, for the hourly line.

    Raises
    ------
    UsageError
        Where the file cannot be written.
    """

    name = "the log"

    def __init__(self, path: Path, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._written_s = now_s()
        self._is_live = False
        try:
            make_private_folder(path.parent)
            self._file = _PrivateFile(
                path, maxBytes=LARGEST_BYTES, backupCount=KEPT, encoding="utf-8"
            )
        except OSError as error:
            raise UsageError(
                f"--log {path} cannot be written ({error.strerror}): name a file of your own"
            ) from error
        self._file.close()
        self._file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))

    def emit(self, event: Event) -> None:
        if isinstance(event, Started):
            self._is_live = event.source["kind"] != "file"
        if isinstance(event, _KEPT_EVENTS):
            self._write(describe(event, live=self._is_live).replace("\n", "; "))

    def tick(self, status: Callable[[], Status]) -> None:
        now_s = self._now_s()
        if now_s - self._written_s >= EVERY_S:
            self._written_s = now_s
            now = status()
            self._write(
                f"{clock(now.audio_s)} of audio: {many(now.utterances, 'utterance')}, "
                f"{many(now.labels, 'label')}, {now.open_queries} open, "
                f"{sum(now.dropped_samples.values()):,} samples dropped, "
                f"real-time factor {now.realtime_factor:.3f}"
            )

    def close(self) -> None:
        pass

    def _write(self, line: str) -> None:
        self._file.handle(logging.LogRecord("streamer", logging.INFO, "", 0, line, None, None))
        # The next line opens it again, so that a log that somebody deleted or moved starts anew.
        self._file.close()
