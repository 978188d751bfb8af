"""Runs a loop for the command line, with signals, watchdog and sinks.

PortAudio's thread only copies into the microphone's ring buffer; the encoder has a thread of its
own (see `encoders.queue`), and so have the pages and the MQTT client; this one does everything
else, in order. The ring holds half a minute, so nothing here can interrupt the recording; an
overflow is a counted gap.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from streamer.errors import StreamerError
from streamer.loop.loop import Loop
from streamer.loop.sinks import Sinks
from streamer.loop.watchdog import watching


def run(loop: Loop, sinks: Sinks, watchdog_s: float) -> bool:
    """Pass the events of a loop to sinks until it ends, or Ctrl-C or SIGTERM stops it.

    Parameters
    ----------
    watchdog_s
        Seconds without progress after which the stacks of all threads are written to standard
        error; 0 for never.

    Returns
    -------
    bool
        Whether it ended by itself.

    Raises
    ------
    StreamerError
        Any error of the loop, and an output that cannot be written.
    """
    pass_on(loop, sinks, watchdog_s, stop_on_signal(loop.stop))
    return not loop.stopped


def pass_on(
    loop: Loop,
    sinks: Sinks,
    watchdog_s: float,
    guard: AbstractContextManager[None] | None = None,
) -> None:
    """The same on any thread, where somebody else stops the loop. guard: around its steps."""
    # In front of a person the process stays: they may have paused it, or a pager its output.
    leave = not (sys.stderr and sys.stderr.isatty())
    try:
        with loop, guard or nullcontext(), watching(watchdog_s, leave=leave) as made_progress:
            for event in loop.steps():
                made_progress()
                if event is None:
                    sinks.tick(loop.status)
                else:
                    sinks.emit(event)
    finally:
        sinks.close()
    if sinks.failure is not None:
        raise StreamerError(
            f"the events cannot be written: {sinks.failure.strerror}: everything up to here is "
            "stored; free some room for the output, and start again"
        ) from sinks.failure


@contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) inside calls `stop`; a second one interrupts at once."""
    asked = False

    def ask_to_stop(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_signal() -> None:
    """Return when this process receives a signal to stop."""
    asked = threading.Event()
    with stop_on_signal(asked.set):
        asked.wait()
