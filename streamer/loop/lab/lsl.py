"""Events as streams of the Lab Streaming Layer, on its clock.

Two outlets: "Streamer", of type Affect, a sample an utterance, of the channels `CHANNELS`; and
"Streamer markers", of type Markers, a string an event marker. The time stamp of a sample is the
onset of the utterance on LSL's `local_clock`; the channel `error_s` states the bound of its error.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from streamer.errors import StreamerError
from streamer.events import Event, Heard, Marked, Revealed, Started, Status
from streamer.loop.lab.timing import Timing
from streamer.types import DIMENSIONS

if TYPE_CHECKING:
    from pylsl import StreamOutlet

NAME: Final = "Streamer"
MARKERS: Final = "Streamer markers"
_PARTS: Final = ("mean", "low", "high")
# Name and unit.
CHANNELS: Final = (
    ("utterance", "number"),
    ("onset_s", "seconds"),
    ("duration_s", "seconds"),
    *((f"{name}_{part}", "normalized") for name in DIMENSIONS for part in _PARTS),
    ("distance", "normalized"),
    ("error_s", "seconds"),
)
IRREGULAR: Final = 0.0


class LslOutlets:
    """A sink that publishes utterances and markers to the Lab Streaming Layer.

    Parameters
    ----------
    profile
        Name of the profile, in the streams' source ids.
    notify
        Passes a notice to people.

    Raises
    ------
    StreamerError
        Where pylsl or its library is not installed.
    """

    name = "LSL"

    def __init__(self, profile: str, notify: Callable[[str], None]) -> None:
        try:
            import pylsl
        except (ModuleNotFoundError, RuntimeError) as error:  # RuntimeError: without liblsl
            raise StreamerError(
                f"the Lab Streaming Layer is not installed ({error}); --lsl needs it: "
                "python -m pip install 'streamer[lab]'"
            ) from error
        self._notify = notify
        self._timing = Timing(pylsl.local_clock)
        self._affect: StreamOutlet | None = pylsl.StreamOutlet(_affect_info(pylsl, profile))
        self._markers: StreamOutlet | None = pylsl.StreamOutlet(
            pylsl.StreamInfo(
                MARKERS, "Markers", 1, IRREGULAR, "string", f"streamer-markers-{profile}"
            )
        )

    def emit(self, event: Event) -> None:
        if isinstance(event, Revealed):
            event = event.heard
        self._timing.follow(event)
        if isinstance(event, Started):
            self._notify("every utterance is published on the network, by the Lab Streaming Layer")
        elif isinstance(event, Heard) and self._affect is not None:
            moment = self._timing.moment(event.onset_s)
            values = [
                getattr(getattr(event.prediction, name), part)
                for name in DIMENSIONS
                for part in _PARTS
            ]
            distance, error_s = event.verdict.distance, moment.error_s
            sample = [event.id, event.onset_s, event.offset_s - event.onset_s, *values,
                      _known(distance), _known(error_s)]  # fmt: skip
            self._affect.push_sample([float(value) for value in sample], moment.at_s)
        elif isinstance(event, Marked) and self._markers is not None:
            moment = self._timing.moment(event.at_s)
            self._markers.push_sample([event.name], moment.at_s)

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        """Outlets end with their last reference."""
        self._affect = self._markers = None


def _affect_info(pylsl: Any, profile: str) -> Any:
    info = pylsl.StreamInfo(
        NAME, "Affect", len(CHANNELS), IRREGULAR, "double64", f"streamer-affect-{profile}"
    )
    channels = info.desc().append_child("channels")
    for label, unit in CHANNELS:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
    info.desc().append_child_value("manufacturer", "Streamer")
    return info


def _known(value: float | None) -> float:
    return float("nan") if value is None else value
