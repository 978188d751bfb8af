"""A sink that is told what an utterance sounds like only when no question can be about it."""

from collections.abc import Callable

from streamer.events import Event, Heard, Learned, Revealed, Selected, Status, Withheld
from streamer.loop.sinks import Sink
from streamer.store.labelling_sign import LabellingSign


class BlindSink:
    """Passes events on; predictions come when the utterance is released, or answered.

    An utterance is first passed as `Withheld`, and as `Revealed` once its buffer was split without
    a question about it, or its question was answered.

    Parameters
    ----------
    sink
        Where the events go.
    is_on
        Whether predictions are withheld at the moment that an utterance is heard.
    """

    def __init__(self, sink: Sink, is_on: Callable[[], bool]) -> None:
        self._sink = sink
        self._is_on = is_on
        self._withheld: dict[int, Heard] = {}

    @property
    def name(self) -> str:
        return self._sink.name

    def emit(self, event: Event) -> None:
        if isinstance(event, Heard) and self._is_on():
            self._withheld[event.id] = event
            self._sink.emit(Withheld.of(event))
            return
        self._sink.emit(event)
        if isinstance(event, Selected):
            for number in event.released:
                self._reveal(number)
        elif isinstance(event, Learned):
            self._reveal(event.utterance)

    def tick(self, status: Callable[[], Status]) -> None:
        self._sink.tick(status)

    def close(self) -> None:
        self._sink.close()

    def _reveal(self, number: int) -> None:
        heard = self._withheld.pop(number, None)
        if heard is not None:
            self._sink.emit(Revealed(heard))


def for_people(sink: Sink, blind: bool | None, sign: LabellingSign) -> Sink:
    """A sink that somebody looks at: blind as the setting says, unset while somebody labels."""
    if blind is False:
        return sink
    return BlindSink(sink, sign.is_fresh if blind is None else lambda: True)


def for_programs(sink: Sink, blind: bool | None) -> Sink:
    """A sink that programs read: its events stay whole, unless somebody asked for `blind`."""
    return BlindSink(sink, lambda: True) if blind else sink
