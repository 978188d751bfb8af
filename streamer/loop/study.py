"""What a research session adds to a run: event markers, and a protocol that is followed."""

import math
from collections.abc import Callable, Iterable, Iterator

from streamer.events import Event, Marked, Noticed
from streamer.loop.markers import MarkerTrack
from streamer.loop.protocol import END, ORIGIN, ProtocolRun
from streamer.types import Chunk, Gap


class Study:
    """Markers as they are given, and the phases of a protocol as they begin.

    Parameters
    ----------
    markers
        Places and stores them.
    protocol
        What is followed; None for nothing.
    """

    def __init__(self, markers: MarkerTrack, protocol: ProtocolRun | None = None) -> None:
        self._markers = markers
        self._protocol = protocol
        self._asked = 0

    @property
    def is_over(self) -> bool:
        """Whether the protocol has ended."""
        return self._protocol is not None and self._protocol.is_over

    def hear(self, item: Chunk | Gap) -> None:
        """Follow the source by one item."""
        self._markers.hear(item)

    def is_due(self, heard_s: float) -> bool:
        """Whether there is something for `events`, so that nothing is written otherwise."""
        if self._markers.is_due:
            return True
        return (
            heard_s > 0
            and self._protocol is not None
            and (self._protocol.change_s(heard_s) is not None)
        )

    def events(self, heard_s: float, split: Callable[[], Iterable[Event]]) -> Iterator[Event]:
        """Markers since the last call, and phases that have begun.

        Parameters
        ----------
        heard_s
            Seconds of audio of the whole run.
        split
            Splits the buffer, so that questions are about utterances of one phase.
        """
        names = []
        for event in self._markers.take():
            yield event
            if isinstance(event, Marked):
                names.append(event.name)
        if self._protocol is not None and heard_s > 0:
            yield from self._follow(self._protocol, heard_s, names, split)

    def left(self) -> float:
        """How many questions the phase that runs allows yet; infinite for no limit."""
        if self._protocol is None:
            return math.inf
        return max(self._protocol.most_questions - self._asked, 0.0)

    def asked(self, count: int) -> None:
        """So many questions were asked."""
        self._asked += count

    def _follow(
        self,
        protocol: ProtocolRun,
        heard_s: float,
        names: list[str],
        split: Callable[[], Iterable[Event]],
    ) -> Iterator[Event]:
        if not protocol.number:
            yield self._markers.place(protocol.protocol.name, ORIGIN, heard_s)
        while (began_s := protocol.change_s(heard_s, names)) is not None:
            names = []
            if protocol.number:
                yield from split()  # by the budget of the phase that ends
            protocol.begin_next(began_s)
            self._asked = 0
            phase = protocol.phase
            name = END if phase is None else phase.name
            yield self._markers.place(name, ORIGIN, heard_s - began_s)
            yield Noticed(protocol.announcement(), ORIGIN)
