"""Runs a session over a source, until it ends, its time is up, or it is stopped."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from streamer.audio.sources.protocol import Delivered, Source
from streamer.errors import ProfileLocked, StreamerError
from streamer.events import Event
from streamer.loop.session import Session
from streamer.types import Chunk, Gap


class Stopwatch:
    """Measures the time spent inside iterators, without their consumer."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.busy_s = 0.0
        self._now_s = now_s

    def over(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events, with the time for each of them added."""
        while True:
            begun_s = self._now_s()
            try:
                event = next(events, None)
            finally:
                self.busy_s += self._now_s() - begun_s
            if event is None:
                return
            yield event


def steps(
    source: Source,
    session: Session,
    *,
    opening: Iterable[Event] = (),
    stop: threading.Event,
    stopwatch: Stopwatch,
    now_s: Callable[[], float],
    max_seconds: float | None = None,
) -> Iterator[Event | None]:
    """Events as they happen, and None after each item of the source; `Ended` is the last event.

    Also where something fails, the opening included: what reads the events waits for the last one.

    Parameters
    ----------
    opening
        The first events, see `opening.opening`; what fails in it fails as the rest does.
    stop
        Checked at each item of the source: the run then ends as if the source had.
    stopwatch
        Counts the seconds of work, for the real-time factor.
    now_s
        A steady clock, in seconds.
    max_seconds
        Of audio, to the sample; of a live source also of time spent waiting for it.

    Raises
    ------
    StreamerError
        After the last buffer, the last labels and the accounts.
    Exception
        Any other: a defect, after the accounts alone, since what is in memory may be wrong.
    """
    limit_s = math.inf if max_seconds is None else max_seconds
    live = source.kind != "file"
    begun_s = now_s()
    try:
        yield from opening
        for item in _limited(source, limit_s):
            yield from stopwatch.over(session.process(item))
            yield from stopwatch.over(session.learn())
            yield from stopwatch.over(session.expire())
            yield None
            while session.must_wait and not stop.is_set():
                yield from session.catch_up()
                yield None
            if stop.is_set() or session.is_over or (live and now_s() - begun_s >= limit_s):
                break
        yield from stopwatch.over(session.finish())
    except Exception as error:
        # Where the database is locked, it has already waited for as long as it may.
        if isinstance(error, StreamerError) and not isinstance(error, ProfileLocked):
            with suppress(Exception):  # the first error is the one to report
                yield from stopwatch.over(session.finish())
        yield session.ended(stopwatch.busy_s)
        raise
    yield session.ended(stopwatch.busy_s)


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
