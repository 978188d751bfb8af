"""What goes wrong inside the web server, on standard error: one line, once for each kind."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from streamer.text import printable

_MOST_KINDS: Final = 100


class FaultLog(logging.Handler):
    """A kind is a type of error and the place where it was raised. write: takes a line."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        super().__init__(logging.ERROR)
        self._write = write or _to_stderr
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage(), record.exc_info[1] if record.exc_info else None)

    def of_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """As asyncio's exception handler."""
        self._tell(str(context.get("message")), context.get("exception"))

    def _tell(self, message: str, error: BaseException | None) -> None:
        text = message.splitlines()[0] if message else ""
        kind = text
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
            kind = f"{type(error).__name__} {place}"
            text = f"{text}: {type(error).__name__}: {error} ({place})"
        if kind in self._told or len(self._told) >= _MOST_KINDS:
            return
        self._told.add(kind)
        self._write(f"streamer: the pages: {text}; the same is not told again")


@contextmanager
def attached(log: FaultLog, name: str) -> Iterator[None]:
    """The logger of that name writes to it alone."""
    logger = logging.getLogger(name)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(log)
    try:
        yield
    finally:
        logger.removeHandler(log)
        logger.propagate = before


def _to_stderr(line: str) -> None:
    if sys.stderr is not None:
        print(printable(line), file=sys.stderr)
