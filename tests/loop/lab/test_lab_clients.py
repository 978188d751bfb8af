"""Utterances and markers received by real clients of OSC, LSL and WebSocket, on one clock."""

import json
import os
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.sources.protocol import Delivered
from streamer.config import Config
from streamer.errors import StreamerError, UsageError
from streamer.events import ClockFitted, Event, Heard, Marked
from streamer.loop.lab.osc import OscSender, osc_address
from streamer.loop.lab.timing import Timing, offset
from streamer.loop.loop import Loop
from streamer.types import Chunk
from streamer.web.bind import Address
from streamer.web.server import serving

RATE_HZ = 16_000
BLOCK = 800
JITTER_S = 0.004


class SoundCard:
    """A microphone that has heard a session until now, with jitter, in no time."""

    kind, name, rate_hz, channels = "microphone", "made", RATE_HZ, 1

    def __init__(self, audio: np.ndarray, until: threading.Event) -> None:
        self._audio = audio
        self._until = until
        self.first_s = time.monotonic() - len(audio) / RATE_HZ

    def __iter__(self) -> Iterator[Delivered]:
        rng = np.random.default_rng(2)
        for first in range(0, len(self._audio), BLOCK):
            arrived_s = self.first_s + first / RATE_HZ + rng.exponential(JITTER_S)
            yield Chunk(self._audio[first : first + BLOCK, None], RATE_HZ, self.name, arrived_s)
        tick = np.zeros((0, 1), np.float32)
        while not self._until.wait(0.02):
            yield Chunk(tick, RATE_HZ, self.name)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def received(spoken_session, tmp_path_factory):
    """One run with all three clients; what the loop said, and what each of them has."""
    os.environ.setdefault("LSLAPICFG", str(tmp_path_factory.mktemp("lsl") / "none.cfg"))
    pylsl = pytest.importorskip("pylsl", exc_type=ImportError)
    osc = pytest.importorskip("pythonosc.osc_server")
    from pythonosc.dispatcher import Dispatcher
    from websockets.sync.client import connect

    from streamer.loop.lab.lsl import MARKERS, NAME, LslOutlets

    folder: Path = tmp_path_factory.mktemp("lab")
    done = threading.Event()
    card = SoundCard(spoken_session[0][: 16 * RATE_HZ], done)
    config = Config(profile=str(folder / "p"), home=folder, encoder="acoustic")
    loop = Loop(card, config=config)
    messages: list[tuple] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda *message: messages.append(message))
    server = osc.ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    unique = f"test-{os.getpid()}"
    sinks = [OscSender(server.server_address, print), LslOutlets(unique, print)]
    inlets = {}
    for name, source_id in ((NAME, f"streamer-affect-{unique}"),
                            (MARKERS, f"streamer-markers-{unique}")):  # fmt: skip
        (info,) = pylsl.resolve_byprop("source_id", source_id, timeout=10)
        inlets[name] = pylsl.StreamInlet(info)
        inlets[name].open_stream(timeout=10)
    events: list[Event] = []
    socket_said: list[dict] = []
    with loop, serving(config, Address("127.0.0.1", 0), loop) as pages:
        address, _, token = pages.url.partition("/?token=")
        port = int(address.rpartition(":")[2])
        bearer = {"Authorization": f"Bearer {token}"}
        with connect(f"ws://127.0.0.1:{port}/api/stream", additional_headers=bearer) as socket:
            socket_said.append(json.loads(socket.recv(timeout=10)))
            for event in loop.steps():
                if event is None:
                    if loop.status().utterances == 4 and not any(
                        isinstance(one, Marked) for one in events
                    ):
                        _post_marker(port, token)
                    continue
                events.append(event)
                for sink in (*sinks, pages.sink):
                    sink.emit(event)
                if isinstance(event, Marked):
                    done.set()
            while socket_said[-1]["event"] != "end":
                socket_said.append(json.loads(socket.recv(timeout=10)))
    samples = {name: [] for name in inlets}
    utterances = sum(isinstance(event, Heard) for event in events)
    for name, count in ((NAME, utterances), (MARKERS, 1)):
        samples[name] = [inlets[name].pull_sample(timeout=10) for _ in range(count)]
    until_s = time.monotonic() + 10
    while len(messages) < len(events) - 5 and time.monotonic() < until_s:
        if any(message[0].endswith("marker") for message in messages):
            break
        time.sleep(0.01)
    server.shutdown()
    server.server_close()
    for sink in sinks:
        sink.close()
    return card, events, messages, samples, socket_said


def _post_marker(port: int, token: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/markers", b'{"name": "beep"}', headers)
    assert connection.getresponse().status == 200


def test_lsl_stamps_utterances_and_markers_on_one_clock_within_20_ms(received):
    """On Linux LSL's clock is the monotonic one; the truth is when the card heard each sample."""
    import pylsl

    card, events, _, samples, _ = received
    zero_s, zero_error_s = offset(pylsl.local_clock, time.monotonic)
    heard = [event for event in events if isinstance(event, Heard)]
    assert len(heard) >= 4
    affect = samples["Streamer"]
    fitted = [at for at, event in enumerate(events) if isinstance(event, ClockFitted)]
    for (values, stamp_s), event in zip(affect, heard, strict=True):
        assert values[0] == event.id
        assert values[3] == event.prediction.valence.mean
        if events.index(event) < fitted[0]:
            continue
        truth_s = card.first_s + event.onset_s + zero_s
        assert abs(stamp_s - truth_s) < 0.02
        assert values[-1] < 0.02
        assert abs(stamp_s - truth_s) <= values[-1] + zero_error_s + 0.002
    ((name, stamp_s),) = samples["Streamer markers"]
    (marker,) = [event for event in events if isinstance(event, Marked)]
    assert name == ["beep"]
    assert abs(stamp_s - (card.first_s + marker.at_s + zero_s)) < 0.02


def test_osc_has_the_same_values(received):
    _, events, messages, _, _ = received
    by_address: dict[str, list[tuple]] = {}
    for address, *values in messages:
        by_address.setdefault(address, []).append(tuple(values))
    heard = [event for event in events if isinstance(event, Heard)]
    said = by_address["/streamer/utterance"]
    assert [(v[0], v[1], v[2], v[3]) for v in said] == [
        (e.id, e.onset_s, e.offset_s, e.prediction.valence.mean) for e in heard
    ]
    ((number, name, at_s, error_s),) = by_address["/streamer/marker"]
    (marker,) = [event for event in events if isinstance(event, Marked)]
    assert (number, name, at_s, error_s) == (marker.id, "beep", marker.at_s, marker.error_s)
    assert by_address["/streamer/clock"]


def test_a_websocket_has_every_event_as_run_json_writes_it(received):
    from streamer.events import to_json

    _, events, _, _, said = received
    assert said[0]["event"] == "hello"
    assert [one["event"] for one in said[1:]] == [to_json(event)["event"] for event in events]
    marker = next(one for one in said if one["event"] == "marker")
    assert (marker["name"], marker["origin"]) == ("beep", "http")


def test_a_moment_without_a_clock_is_now_and_of_unknown_error():
    timing = Timing(lambda: 7.0, lambda: 0.0)
    assert (timing.moment(3.0).at_s, timing.moment(3.0).error_s) == (7.0, None)
    timing.follow(ClockFitted("mic", 10.0, 500.0, 1.7e9, 1.0, 0.003))
    moment = timing.moment(12.0)
    assert (moment.at_s, moment.error_s) == (509.0, 0.003)


@pytest.mark.parametrize("text", ["", "host", ":9000", "a:b", "host:9000/x", "me@host:1"])
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="--osc"):
        osc_address(text)


def test_a_missing_library_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pythonosc.udp_client", None)
    with pytest.raises(StreamerError, match=r"streamer\[lab\]"):
        OscSender(("127.0.0.1", 9), print)
