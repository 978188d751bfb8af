"""Runs a session over a source until it ends, time is up, or somebody stops it.

PortAudio's thread only copies into the microphone's ring; the encoder has one of its own (see
`encoding`), and so have pages and broker; this one does everything else, in order. The ring holds
half a minute, so nothing here can stop the hearing; what it could not hold is a counted gap.
"""

import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from streamer.audio.sources.protocol import Delivered, Source
from streamer.errors import StreamerError
from streamer.events import Ended, Event, Status
from streamer.loop.session import Session
from streamer.types import Chunk, Gap


class Screen(Protocol):
    """Where events are shown."""

    def show(self, event: Event) -> None: ...
    def refresh(self, status: Callable[[], Status]) -> None:
        """Called some times a second; `status` costs a little, so only when it is drawn."""
        ...

    def close(self) -> None:
        """Give the terminal back, however it ended."""
        ...


class UntilGone:
    """A screen that may come to be written in vain: then the run is to stop, and tells nobody.

    failed: why, where that was not a reader who closed the pipe, which is no failure.
    """

    def __init__(self, screen: Screen, stop: threading.Event) -> None:
        self._screen = screen
        self._stop = stop
        self._gone = False
        self.failed: OSError | None = None

    def show(self, event: Event) -> None:
        self._try(lambda: self._screen.show(event))

    def refresh(self, status: Callable[[], Status]) -> None:
        self._try(lambda: self._screen.refresh(status))

    def close(self) -> None:
        self._screen.close()

    def _try(self, draw: Callable[[], None]) -> None:
        if self._gone:
            return
        try:
            draw()
        except OSError as error:
            self._gone = True
            self.failed = None if isinstance(error, BrokenPipeError) else error
            self._stop.set()
            # Python would complain at exit that it cannot flush.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def listen(
    source: Source,
    session: Session,
    screen: Screen,
    *,
    stop: threading.Event,
    now_s: Callable[[], float],
    max_seconds: float | None = None,
    turn: Callable[[], None] = lambda: None,
) -> Ended:
    """Hear `source` to its end, learning as labels come; the accounting is shown after errors too.

    max_seconds: of audio, or of waiting for it; turn: called whenever there was progress. Returns
    the accounting. Raises a StreamerError after what could still be told was told; anything else,
    a second Ctrl-C among it, at once.
    """
    limit_s = math.inf if max_seconds is None else max_seconds
    live = source.kind != "file"
    busy_s = 0.0
    begun_s = now_s()
    try:
        for item in _limited(source, limit_s):
            turn()
            started_s = now_s()
            for event in session.hear(item):
                screen.show(event)
            for event in session.learn():
                screen.show(event)
            for event in session.expire():
                screen.show(event)
            screen.refresh(partial(session.status, busy_s))
            ended_s = now_s()
            busy_s += ended_s - started_s
            if stop.is_set() or (live and ended_s - begun_s >= limit_s):
                break
        started_s = now_s()
        for event in session.finish():
            turn()
            screen.show(event)
        busy_s += now_s() - started_s
    except StreamerError:
        with suppress(StreamerError):
            for event in session.finish():
                screen.show(event)
        screen.show(session.ended(busy_s))
        raise
    ended = session.ended(busy_s)
    screen.show(ended)
    return ended


def _limited(source: Source, left_s: float) -> Iterator[Delivered]:
    """The source's items up to `left_s` seconds of audio, to the sample."""
    for item in source:
        rate_hz = source.rate_hz
        if isinstance(item, Chunk):
            rate_hz = item.rate_hz
            room = round(min(left_s * rate_hz, len(item.samples)))
            item = replace(item, samples=item.samples[:room])
            left_s -= room / rate_hz
        elif isinstance(item, Gap):
            left_s -= item.samples / rate_hz
        yield item
        if left_s * rate_hz < 0.5:  # not one sample more
            return


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or TERM) sets; a second one interrupts at once."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {s: signal.signal(s, ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
