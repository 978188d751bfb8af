"""Events as messages of Open Sound Control, by UDP.

    /streamer/utterance  id onset_s offset_s, mean low high of valence, arousal and dominance,
                         emotion distance error_s
    /streamer/marker     id name at_s error_s
    /streamer/clock      source_s unix_s rate error_s

Each is a bundle whose time tag is the moment of its onset on this computer's clock. An emotion that
is unknown is ""; a distance or error that is unknown is -1. No name of a file or device is sent.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from streamer.errors import StreamerError, UsageError
from streamer.events import ClockFitted, Event, Heard, Marked, Revealed, Started, Status
from streamer.loop.lab.timing import Moment, Timing
from streamer.types import DIMENSIONS

PREFIX: Final = "/streamer"
UNKNOWN: Final = -1.0


def osc_address(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT. Raises UsageError.

    >>> osc_address("127.0.0.1:9000")
    ('127.0.0.1', 9000)
    """
    try:
        parts = urlsplit(f"osc://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"--osc {text}: {error}: give HOST:PORT") from error
    if not host or not port or parts.path or "@" in parts.netloc:
        raise UsageError(f"--osc {text}: give HOST:PORT, such as 127.0.0.1:9000")
    return host, port


class OscSender:
    """A sink that sends events by OSC. Nothing waits: a datagram that nobody takes is lost.

    Parameters
    ----------
    address
        Host and port.
    notify
        Passes a notice to people.

    Raises
    ------
    StreamerError
        Where python-osc is not installed, or there is no such host.
    """

    name = "OSC"

    def __init__(self, address: tuple[str, int], notify: Callable[[str], None]) -> None:
        self._address = address
        self._notify = notify
        self._timing = Timing()
        self._has_failed = False
        try:
            from pythonosc.udp_client import UDPClient
        except ModuleNotFoundError as error:
            raise StreamerError(
                "python-osc is not installed; --osc needs it: python -m pip install 'streamer[lab]'"
            ) from error
        try:
            self._client = UDPClient(*address)
        except OSError as error:
            raise UsageError(
                f"--osc {address[0]}:{address[1]}: {error.strerror}: give a host that is there"
            ) from error

    def emit(self, event: Event) -> None:
        if isinstance(event, Revealed):
            event = event.heard
        self._timing.follow(event)
        match event:
            case Started():
                host, port = self._address
                self._notify(f"every utterance is sent by OSC to {host}:{port}")
            case Heard():
                moment = self._timing.moment(event.onset_s)
                values = [
                    getattr(getattr(event.prediction, name), part)
                    for name in DIMENSIONS
                    for part in ("mean", "low", "high")
                ]
                said = event.verdict
                distance = UNKNOWN if said.distance is None else said.distance
                self._send(
                    "utterance",
                    [event.id, event.onset_s, event.offset_s, *values, said.emotion or "",
                     distance, _known(moment.error_s)],
                    moment,
                )  # fmt: skip
            case Marked():
                moment = Moment(event.unix_s, event.error_s)
                self._send(
                    "marker", [event.id, event.name, event.at_s, _known(event.error_s)], moment
                )
            case ClockFitted():
                self._send(
                    "clock",
                    [event.source_s, event.unix_s, event.rate, event.error_s],
                    Moment(event.unix_s, event.error_s),
                )

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        with suppress(OSError):
            self._client.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _send(self, what: str, values: Sequence[Any], moment: Moment) -> None:
        from pythonosc.osc_bundle_builder import OscBundleBuilder
        from pythonosc.osc_message_builder import OscMessageBuilder

        message = OscMessageBuilder(address=f"{PREFIX}/{what}")
        for value in values:
            kinds = {int: "i", str: "s"}
            # In doubles: seconds since 1970 do not fit a float.
            message.add_arg(value, kinds.get(type(value), "d"))
        bundle = OscBundleBuilder(cast("int", moment.at_s))  # declared so, but in seconds
        bundle.add_content(message.build())
        try:
            self._client.send(bundle.build())
            self._has_failed = False
        except OSError as error:
            if not self._has_failed:
                self._notify(f"OSC messages cannot be sent ({error.strerror}): retrying with each")
            self._has_failed = True


def _known(value: float | None) -> float:
    return UNKNOWN if value is None else value
