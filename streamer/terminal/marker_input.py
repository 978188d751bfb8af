"""Event markers from standard input: a key in a terminal, a line in a pipe."""

import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TextIO

from streamer.errors import UsageError

# Names of keys that print nothing.
_NAMES: Final = {" ": "space", "\n": "enter", "\r": "enter", "\t": "tab", "\x7f": "backspace"}
_POLL_S: Final = 0.2


class MarkerInput:
    """Reads standard input on a thread of its own; a marker is stamped as it is read.

    In a terminal each key is a marker of its name; Ctrl-C still stops. Else each line is one.

    Parameters
    ----------
    mark
        Takes a marker's name and its origin, "key" or "stdin".
    notify
        Passes a notice to people.
    stream
        Standard input, or another with a file descriptor.
    """

    def __init__(
        self,
        mark: Callable[[str, str], None],
        notify: Callable[[str], None],
        stream: TextIO | None = None,
    ) -> None:
        self._mark = mark
        self._notify = notify
        self._stream = stream or sys.stdin
        if self._stream is None:
            raise UsageError("--markers reads standard input, which is closed: open it")
        self._ended = threading.Event()
        self._terminal: list[Any] | None = None
        self._thread = threading.Thread(target=self._read, name="markers", daemon=True)

    @property
    def reads_keys(self) -> bool:
        """Whether keys of a terminal are the markers."""
        return self._terminal is not None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._begin_keys()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._terminal is not None:
            import termios

            with suppress(termios.error):
                termios.tcsetattr(self._stream.fileno(), termios.TCSADRAIN, self._terminal)

    def _begin_keys(self) -> None:
        """Keys as they are pressed, without echo; signals stay."""
        try:
            import termios
            import tty
        except ModuleNotFoundError as error:
            raise UsageError(
                "--markers cannot read keys in this system's terminal: pipe lines in, or use HTTP"
            ) from error
        self._terminal = termios.tcgetattr(self._stream.fileno())
        tty.setcbreak(self._stream.fileno(), termios.TCSANOW)

    def _read(self) -> None:
        """From the descriptor, which no buffer of Python's delays."""
        descriptor, waiting = self._stream.fileno(), b""
        while not self._ended.is_set():
            if not select.select([descriptor], [], [], _POLL_S)[0]:
                continue
            try:
                read = os.read(descriptor, 4096)
            except OSError:
                return
            if self._terminal is not None:
                for key in read.decode("utf-8", "replace"):
                    if key.isprintable() or key in _NAMES:
                        self._pass(_NAMES.get(key, key), "key")
                continue
            *lines, waiting = (waiting + read).split(b"\n")
            if not read and waiting:
                lines, waiting = [waiting], b""
            for line in lines:
                self._pass(line.decode("utf-8", "replace").strip(), "stdin")
            if not read:
                return

    def _pass(self, name: str, origin: str) -> None:
        if not name:
            return
        try:
            self._mark(name, origin)
        except UsageError as error:
            self._notify(str(error))
