"""Tells where a loop hangs: the stacks of all threads, on standard error."""

import faulthandler
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

# To set the watchdog takes a thread: not at every turn of the loop.
_SET_EVERY_S: Final = 1.0
_SET_OFTEN: Final = 5


@contextmanager
def watching(
    limit_s: float,
    *,
    leave: bool,
    file: IO[str] | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[], None]]:
    """Call what it gives at every turn of the loop; `limit_s` after the last call, it tells.

    leave: the process ends then too, with code 1, so that whoever watches over it starts it anew:
    what was acknowledged is stored, as after any kill. Works though no Python code runs any more.
    file: where it tells, standard error for None; 0 seconds, or a file without a descriptor, watch
    nothing.
    """
    told_to = file or sys.stderr
    if limit_s <= 0 or not _has_descriptor(told_to):
        yield lambda: None
        return
    every_s = min(_SET_EVERY_S, limit_s / _SET_OFTEN)
    set_s = -every_s

    def turn() -> None:
        nonlocal set_s
        if now_s() - set_s >= every_s:
            set_s = now_s()
            faulthandler.dump_traceback_later(limit_s, exit=leave, repeat=not leave, file=told_to)

    turn()
    try:
        yield turn
    finally:
        faulthandler.cancel_dump_traceback_later()


def _has_descriptor(file: IO[str] | None) -> bool:
    try:
        return file is not None and file.fileno() >= 0
    except (OSError, ValueError):  # it is no file of the system's, or closed
        return False
