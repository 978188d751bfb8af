"""Event markers of a run: taken from any thread, placed on the clock of the source, stored."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from streamer.audio.sample_clock import ClockFit, SampleClock
from streamer.events import ClockFitted, Marked
from streamer.store.markers import Markers
from streamer.text import marker_name
from streamer.types import Chunk, Gap

# When the line is passed on: first, then at twice the time, and so on, at last every minute.
FIRST_FIT_S: Final = 2.0
FIT_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Given:
    name: str
    origin: str
    monotonic_s: float
    unix_s: float


class MarkerTrack:
    """Places markers on the clock on which utterances have their onsets: that of the source.

    A marker is stamped with the computer's clock when it is given. A live source's arrivals tell
    which sample that was (see `SampleClock`); of a recording, and of a pipe, it is the position
    that was processed by then.

    Parameters
    ----------
    store
        The profile's markers.
    session
        The session that they belong to.
    wall_s
        Seconds since 1970.
    monotonic_s
        The clock on which the source stamps its chunks.
    """

    def __init__(
        self,
        store: Markers,
        session: int,
        wall_s: Callable[[], float],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._store = store
        self._session = session
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._clock = SampleClock()
        self._given: deque[_Given] = deque()
        self._next_fit_s = FIRST_FIT_S

    @property
    def is_due(self) -> bool:
        """Whether there is something for `take`."""
        return bool(self._given) or (
            self._clock.position_s >= self._next_fit_s and self._clock.fit() is not None
        )

    def mark(self, name: str, origin: str = "python") -> None:
        """Take a marker, now. Callable from any thread. Raises UsageError for an invalid name."""
        self._given.append(_Given(marker_name(name), origin, self._monotonic_s(), self._wall_s()))

    def hear(self, item: Chunk | Gap) -> None:
        """Follow the source by one item."""
        source = self._clock.source
        self._clock.hear(item)
        if self._clock.source != source:
            self._next_fit_s = FIRST_FIT_S

    def take(self) -> Iterator[ClockFitted | Marked]:
        """Place and store the markers given since the last call; pass on the clock's line."""
        if not self.is_due:
            return
        fit = self._clock.fit()
        if fit is not None:
            position_s = self._clock.position_s
            self._next_fit_s = min(2 * position_s, position_s + FIT_EVERY_S)
            yield self._fitted(fit)
        while self._given:
            one = self._given[0]  # until it is stored
            at_s = self._clock.position_s if fit is None else fit.source_s(one.monotonic_s)
            marked = self._store_one(one, at_s, fit)
            self._given.popleft()
            yield marked

    def place(self, name: str, origin: str, ago_s: float) -> Marked:
        """Store a marker of so many seconds of the source ago, measured in samples."""
        fit = self._clock.fit()
        at_s = self._clock.position_s - ago_s
        given = _Given(marker_name(name), origin, 0.0, self._wall_s() - ago_s)
        return self._store_one(given, at_s, fit)

    def _store_one(self, one: _Given, at_s: float, fit: ClockFit | None) -> Marked:
        source, at_s = self._clock.source, max(at_s, 0.0)
        error_s = None if fit is None else fit.error_s
        number = self._store.add(
            self._session, one.name, one.origin, source, at_s, error_s, one.unix_s
        )
        return Marked(number, one.name, one.origin, source, at_s, one.unix_s, error_s)

    def _fitted(self, fit: ClockFit) -> ClockFitted:
        position_s = self._clock.position_s
        monotonic_s = fit.monotonic_s(position_s)
        return ClockFitted(
            source=self._clock.source,
            source_s=position_s,
            monotonic_s=monotonic_s,
            unix_s=self._wall_s() - (self._monotonic_s() - monotonic_s),
            rate=fit.rate,
            error_s=fit.error_s,
        )
