"""Reports where a loop hangs: the stacks of all threads, on standard error.

Time counts only while this process could run: after SIGSTOP, a paused container or a suspended
machine the clock is far ahead, and the loop is healthy. So another thread counts in short slices,
and where one took much longer than it should, the rest of it is not counted.

Code that never lets another thread run (it holds the interpreter's lock) is noticed by the CPU time
that it burns, of which a stopped process uses none. What holds that lock and sleeps is not noticed.
"""

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, Final

LONGEST_SLICE_S: Final = 1.0
_SLICES: Final = 10
# A slice may be late by that factor, on a busy machine.
_MOST: Final = 2.0


class Watch:
    """Whether there was progress, in running time.

    limit_s: without progress, above 0. slice_s: how often `look` is called. now_s: a steady clock.
    """

    def __init__(self, limit_s: float, slice_s: float, now_s: Callable[[], float]) -> None:
        self._limit_s = limit_s
        self._most_s = _MOST * slice_s
        self._now_s = now_s
        self._looked_s = now_s()
        self._without_s = 0.0
        self._progress = self._seen = 0

    def made_progress(self) -> None:
        """Called by the loop at every step, as often as it likes."""
        self._progress += 1

    def look(self) -> bool:
        """Whether it hangs."""
        looked_s, self._looked_s = self._looked_s, self._now_s()
        if self._progress != self._seen:
            self._seen, self._without_s = self._progress, 0.0
            return False
        self._without_s += min(self._looked_s - looked_s, self._most_s)
        if self._without_s < self._limit_s:
            return False
        self._without_s = 0.0
        return True


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
    everything acknowledged is stored, as after any kill. file: where it writes, standard error for
    None. With 0 seconds, or a file without a descriptor, it does nothing.
    """
    out = file or sys.stderr
    if limit_s <= 0 or out is None or not _has_descriptor(out):
        yield lambda: None
        return
    slice_s = min(LONGEST_SLICE_S, limit_s / _SLICES)
    watch = Watch(limit_s, slice_s, now_s)
    over = threading.Event()
    burning = _watch_cpu_time(limit_s, leave=leave, file=out)

    def count() -> None:
        while not over.wait(slice_s):
            burning()
            if watch.look():
                _tell(limit_s, out)
                if leave:
                    os._exit(1)

    thread = threading.Thread(target=count, name="watchdog", daemon=True)
    thread.start()
    try:
        yield watch.made_progress
    finally:
        over.set()
        thread.join()
        _end_cpu_time()


def _tell(limit_s: float, file: IO[str]) -> None:
    os.write(file.fileno(), f"Timeout: no progress for {limit_s:g} s\n".encode())
    faulthandler.dump_traceback(file=file, all_threads=True)


def _watch_cpu_time(limit_s: float, *, leave: bool, file: IO[str]) -> Callable[[], object]:
    """A function that starts the count of CPU time anew; at its end the stacks are written in C."""
    if not hasattr(signal, "setitimer"):
        return lambda: None
    faulthandler.register(signal.SIGPROF, file=file, all_threads=True, chain=leave)
    begin = partial(signal.setitimer, signal.ITIMER_PROF, limit_s * (os.cpu_count() or 1))
    begin()
    return begin


def _end_cpu_time() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        faulthandler.unregister(signal.SIGPROF)


def _has_descriptor(file: IO[str]) -> bool:
    try:
        return file.fileno() >= 0
    except (OSError, ValueError):  # it is no file of the system's, or closed
        return False
