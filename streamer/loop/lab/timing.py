"""When an event of the source was, on a clock of this computer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streamer.audio.sample_clock import ClockFit
from streamer.events import ClockFitted, Event

_TRIES: Final = 9


@dataclass(frozen=True, slots=True)
class Moment:
    """at_s: in seconds of the clock asked for; error_s: bound of its error, None where unknown."""

    at_s: float
    error_s: float | None


class Timing:
    """Follows the events `clock`, and places positions of the source on another clock.

    Of a source without a clock, a recording, a moment is the time at which it is asked for.

    Parameters
    ----------
    clock
        In seconds: as steady as `time.monotonic`, with another zero.
    monotonic_s
        The clock of the events.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._fit: ClockFit | None = None
        self._zero_s = self._zero_error_s = 0.0

    def follow(self, event: Event) -> None:
        """Take the line of an event `clock`; any other event changes nothing."""
        if isinstance(event, ClockFitted):
            self._fit = ClockFit(event.source_s, event.monotonic_s, event.rate, event.error_s)
            self._zero_s, self._zero_error_s = offset(self._clock, self._monotonic_s)

    def moment(self, source_s: float) -> Moment:
        """When a position of the source, in seconds, arrived."""
        if self._fit is None:
            return Moment(self._clock(), None)
        at_s = self._fit.monotonic_s(source_s) + self._zero_s
        return Moment(at_s, self._fit.error_s + self._zero_error_s)


def offset(clock: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """What `clock` shows beyond `other`, and a bound of its error, both in seconds.

    Of several readings between two of the other clock, that of the shortest pause.
    """
    found = []
    for _ in range(_TRIES):
        before_s, read_s, after_s = other(), clock(), other()
        found.append((after_s - before_s, read_s - (before_s + after_s) / 2))
    pause_s, offset_s = min(found)
    return offset_s, pause_s / 2
