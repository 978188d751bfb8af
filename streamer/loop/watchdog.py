"""Reports where a loop hangs: the stacks of all threads, on standard error."""

import faulthandler
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

# Setting the watchdog starts a thread: not at every step of the loop.
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
    """Yields a function to call at every step; `limit_s` after its last call, stacks are written.

    leave: the process then also ends, with code 1, so that a service manager restarts it:
    everything acknowledged is stored, as after any kill. It works even if no Python code runs any
    more. file: where it writes, standard error for None. With 0 seconds, or a file without a
    descriptor, it does nothing.
    """
    out = file or sys.stderr
    if limit_s <= 0 or not _has_descriptor(out):
        yield lambda: None
        return
    every_s = min(_SET_EVERY_S, limit_s / _SET_OFTEN)
    set_s = -every_s

    def made_progress() -> None:
        nonlocal set_s
        if now_s() - set_s >= every_s:
            set_s = now_s()
            faulthandler.dump_traceback_later(limit_s, exit=leave, repeat=not leave, file=out)

    made_progress()
    try:
        yield made_progress
    finally:
        faulthandler.cancel_dump_traceback_later()


def _has_descriptor(file: IO[str] | None) -> bool:
    try:
        return file is not None and file.fileno() >= 0
    except (OSError, ValueError):  # it is no file of the system's, or closed
        return False
