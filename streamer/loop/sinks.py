"""The consumers of a run's events: a list of sinks, one of which is the program's output."""

import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from streamer.events import Event, Noticed, Started, Status
from streamer.types import NoticeKind


class Sink(Protocol):
    """Takes events: standard output, the pages, a log file, an MQTT broker."""

    @property
    def name(self) -> str:
        """Its name in the notice that it has failed."""
        ...

    def emit(self, event: Event) -> None:
        """Take one event. Called in the order in which they happen."""
        ...

    def tick(self, status: Callable[[], Status]) -> None:
        """Called several times a second. `status` costs a little: call it only to show it."""
        ...

    def close(self) -> None:
        """Release all resources, also after an error; may be called again."""
        ...


class Sinks:
    """Passes each event to every sink in the order in which they were added, the output last.

    A sink that fails is dropped, with a notice to the others. Only the output is required: where
    it can no longer be written, the run is asked to stop.

    Parameters
    ----------
    output
        The program's output.
    stop
        Asks the run to stop; called once, when the output has failed.

    Attributes
    ----------
    failure : OSError or None
        Why the output cannot be written. None as well where its reader closed the pipe: that is a
        normal end.
    """

    def __init__(self, output: Sink, stop: Callable[[], None]) -> None:
        self.failure: OSError | None = None
        self._output = output
        self._stop = stop
        self._others: list[Sink] = []
        self._failed: list[Sink] = []
        self._notices: deque[Noticed] = deque()
        self._started = False

    def add(self, sink: Sink) -> None:
        self._others.append(sink)

    def notify(self, text: str, kind: NoticeKind = "general") -> None:
        """Queue a notice for every sink, on the run's thread. Callable from any thread.

        One that a sink sends while it takes an event precedes that event in the output.
        """
        self._notices.append(Noticed(text, kind))

    def emit(self, event: Event) -> None:
        self._call_each(lambda sink: sink.emit(event))
        if isinstance(event, Started):  # always the first event, so no notice precedes it
            self._started = True
            self._emit_notices()

    def tick(self, status: Callable[[], Status]) -> None:
        self._call_each(lambda sink: sink.tick(status))

    def close(self) -> None:
        """Close every sink. Raises what the output raises."""
        for sink in self._others:
            with suppress(Exception):
                sink.close()
        self._output.close()

    def _call_each(self, act: Callable[[Sink], None]) -> None:
        for sink in (*self._others, self._output):
            if self._started:  # before the event: nothing follows the last one
                self._emit_notices()
            self._call(act, sink)

    def _emit_notices(self) -> None:
        while self._notices:
            notice = self._notices.popleft()
            for sink in (*self._others, self._output):
                self._call(partial(_emit, notice), sink)

    def _call(self, act: Callable[[Sink], None], sink: Sink) -> None:
        if sink in self._failed:
            return
        try:
            act(sink)
        except Exception as error:
            if sink is not self._output:
                self.notify(f"{sink.name} failed, the run continues without it: {error!r}")
            elif isinstance(error, OSError):
                self._lose_output(error)
            else:
                raise
            self._failed.append(sink)

    def _lose_output(self, error: OSError) -> None:
        self.failure = None if isinstance(error, BrokenPipeError) else error
        self._stop()
        # Otherwise Python complains at exit that it cannot flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _emit(event: Event, sink: Sink) -> None:
    sink.emit(event)
