"""Standard error, taken in while a library writes to it what an error is to tell."""

import os
import re
import tempfile
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

_MOST_BYTES: Final = 16_384
# What ALSA and JACK print at every attempt, also at those that succeed.
_USUAL: Final = re.compile(
    r"Unknown PCM|Cannot get card index|cannot find card|Evaluate error|returned error: No such"
    r"|error evaluating (strings|name)|jack server is not running|Cannot connect to server"
    r"|JackShmReadWritePtr|Invalid field card|Invalid card 'card'|only for playback"
    r"|Cannot open device /dev/dsp|Unknown parameters"
)


class CapturedStandardError:
    """Takes in what the whole process writes to standard error while inside.

    PortAudio and ALSA print several lines at every failed attempt to open a device: `lines` gives
    them, for the error message. One thread enters and leaves; another may call `restore` at any
    time, in case the first one hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: int | None = None
        self._text = b""
        self._file = -1

    def __enter__(self) -> "CapturedStandardError":
        with self._lock, suppress(OSError):
            self._text = b""
            with tempfile.TemporaryFile() as file:  # a pipe could fill up
                self._kept = os.dup(2)
                os.dup2(file.fileno(), 2)
                self._file = os.dup(file.fileno())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.restore()

    def restore(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, None
            if kept is None:
                return
            os.dup2(kept, 2)
            os.close(kept)
            if self._file >= 0:
                size = os.lseek(self._file, 0, os.SEEK_END)
                os.lseek(self._file, max(0, size - _MOST_BYTES), os.SEEK_SET)
                self._text = os.read(self._file, _MOST_BYTES)
                os.close(self._file)
                self._file = -1

    def lines(self) -> list[str]:
        """What was printed inside the last time, each line once, the usual noise left out."""
        return telling_lines(self._text.decode(errors="replace"))


def telling_lines(text: str) -> list[str]:
    """
    >>> telling_lines("Unknown PCM front\\n\\nno space\\nno space\\n")
    ['no space']
    """
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line and not _USUAL.search(line)))
