"""What a real broker is told, also when it comes late, goes away, or keeps us out."""

import json
import signal
import socket
import subprocess
import sys
import time
from unittest.mock import Mock

import pytest

from streamer.errors import UsageError
from streamer.events import Ended, Event, Heard, Noticed, Started, Status
from streamer.loop.sinks import Sinks
from streamer.mqtt import publisher
from streamer.mqtt.broker import Broker
from streamer.mqtt.publisher import MqttPublisher, node_name
from streamer.types import Estimate, Prediction, Quality, Verdict
from tests.mqtt.conftest import Listener, Mosquitto, eventually
from tests.support import events_of, named

STARTED = Started("0", "kitchen", {"name": "made"}, {"kind": "microphone", "name": "Ann's headset"})
ENDED = Ended(16_000, 8_000, 8_000, {}, 1, 0, 1, 1.0, 0.1)


def heard(number: int) -> Heard:
    guess = Estimate(0.25, -0.5, 0.75)
    return Heard(
        number, "/home/ann/diary.wav", 1.0, 2.0, Prediction(guess, guess, guess),
        Verdict("joy", 0.2, {"joy": 0.2}), -0.1, Quality(-20.0, 30.0, False), 9.5,
    )  # fmt: skip


class Output:
    """The program's output, behind the sinks of a run."""

    name = "the output"

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def tick(self, status) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Noticed)]


def status() -> Status:
    return Status(-40.0, False, (1, 10), 3, 7, 21, 60.0, {"overflow": 5}, 0.02)


def publishing_to(port: int, output: Output, **who: str) -> Sinks:
    sinks = Sinks(output, lambda: pytest.fail("the output is there"))
    broker = Broker("127.0.0.1", port, **who)
    sinks.add(MqttPublisher(broker, "kitchen", sinks.notify, lambda: 1e9, time.monotonic))
    return sinks


def after(done, sinks: Sinks) -> bool:
    """Whether it becomes true while the loop goes on."""

    def check() -> bool:
        sinks.tick(status)
        return done()

    return eventually(check)


def test_a_broker_is_told_of_utterances_state_and_availability(mosquitto, listener):
    output = Output()
    sinks = publishing_to(mosquitto.port, output)
    sinks.emit(STARTED)
    sinks.emit(heard(17))
    assert after(lambda: bool(listener.of("utterance") and listener.of("state")), sinks)
    (utterance,) = [json.loads(text) for text in listener.of("utterance")]
    assert (utterance["id"], utterance["heard_at"]) == (17, 1e9)
    assert utterance["valence"] == {"mean": 0.25, "low": -0.5, "high": 0.75}
    state = json.loads(listener.of("state")[0])
    assert (state["state"], state["labels"], state["dropped_samples"]) == (
        "listening", 7, {"overflow": 5}
    )  # fmt: skip
    sinks.emit(ENDED)
    sinks.close()
    assert eventually(lambda: listener.of("availability") == ["online", "offline"])
    assert json.loads(listener.of("state")[-1])["state"] == "ended"
    assert output.closed
    assert [event for event in output.events if not isinstance(event, Noticed)] == [
        STARTED, heard(17), ENDED
    ]  # fmt: skip
    everything = "".join(text for _, text in listener.told)
    assert "diary" not in everything
    assert "headset" not in everything


def test_a_broker_is_told_what_is_wrong_with_the_sound(mosquitto, listener):
    sinks = publishing_to(mosquitto.port, Output())
    sinks.emit(STARTED)
    sinks.emit(Noticed("Ann's headset: mains hum of 50 Hz is removed", "hum"))
    sinks.emit(Noticed("Ann's headset disappeared"))
    assert after(lambda: bool(listener.of("notice")), sinks)
    sinks.close()
    (notice,) = [json.loads(text) for text in listener.of("notice")]
    assert notice == {"kind": "hum", "text": "mains hum of 50 Hz is removed", "at": 1e9}


def test_home_assistant_finds_every_entity_where_the_values_are(mosquitto, listener):
    sinks = publishing_to(mosquitto.port, Output())
    sinks.emit(STARTED)
    sinks.emit(heard(1))
    sinks.emit(Noticed("Mic: mains hum of 50 Hz is removed", "hum"))
    there = ("utterance", "state", "notice")
    assert after(lambda: all(listener.of(name) for name in there), sinks)
    sinks.close()
    node = node_name("kitchen")
    configurations = {
        topic: json.loads(text) for topic, text in listener.told if topic.endswith("/config")
    }
    assert len({c["unique_id"] for c in configurations.values()}) == len(configurations) == 8
    told = dict(listener.told)
    from jinja2 import Environment

    for topic, configuration in configurations.items():
        assert topic.startswith(f"homeassistant/sensor/{node}/")
        assert configuration["availability_topic"] in told
        values = json.loads(told[configuration["state_topic"]])
        template = Environment().from_string(configuration["value_template"])
        assert template.render(value_json=values) not in {"", "None"}, topic
        assert configuration["device"]["identifiers"] == [node]
    late = Listener(mosquitto.port)  # Home Assistant was started anew: what is retained is there
    assert eventually(lambda: len(late.of("config")) == 8)
    assert eventually(lambda: late.of("availability") == ["offline"])
    late.close()
    assert not late.of("utterance")


def test_a_broker_that_comes_late_and_goes_away_is_told_all_the_same(mosquitto, monkeypatch):
    monkeypatch.setattr(publisher, "RETRY_S", (1, 1))
    output = Output()
    sinks = publishing_to(mosquitto.port, output)
    sinks.emit(STARTED)
    sinks.emit(heard(1))
    assert after(lambda: any("cannot be reached" in text for text in output.notices()), sinks)
    mosquitto.start()
    listener = Listener(mosquitto.port)
    sinks.emit(heard(2))
    assert after(lambda: len(listener.of("utterance")) == 2, sinks)
    mosquitto.stop()
    listener.close()
    assert after(lambda: any("went away" in text for text in output.notices()), sinks)
    sinks.emit(heard(3))
    mosquitto.start()
    back = Listener(mosquitto.port)
    assert after(lambda: back.of("availability") == ["online"], sinks)
    sinks.emit(heard(4))
    assert after(
        lambda: [json.loads(text)["id"] for text in back.of("utterance")][-1:] == [4], sinks
    )
    sinks.close()
    assert sum("is back" in text for text in output.notices()) == 2
    back.close()


def test_more_than_can_wait_is_counted_and_told(mosquitto, monkeypatch):
    monkeypatch.setattr(publisher, "WAITING", 3)
    monkeypatch.setattr(publisher, "RETRY_S", (1, 1))
    output = Output()
    sinks = publishing_to(mosquitto.port, output)
    sinks.emit(STARTED)
    for number in range(5):
        sinks.emit(heard(number))
    mosquitto.start()
    listener = Listener(mosquitto.port)
    assert after(lambda: len(listener.of("utterance")) == 3 and bool(listener.of("state")), sinks)
    sinks.close()
    assert json.loads(listener.of("state")[-1])["undelivered"] == 2
    assert any("3 utterances wait" in text for text in output.notices())
    assert len([e for e in output.events if isinstance(e, Heard)]) == 5
    listener.close()


def test_what_was_never_delivered_is_told_before_the_end():
    output = Output()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        sinks = publishing_to(closed.getsockname()[1], output)
        sinks.emit(STARTED)
        sinks.emit(heard(1))
        sinks.emit(ENDED)
        sinks.close()
    assert "did not receive the last 1 utterance" in output.notices()[-1]
    assert output.events[-1] == ENDED


def test_two_machines_and_profiles_stay_two(monkeypatch, tmp_path):
    assert len({node_name(name) for name in ("Ann.B", "ann-b", "ann b")}) == 3
    here = node_name("default")
    (tmp_path / "machine-id").write_text("f" * 32)
    monkeypatch.setattr("streamer.mqtt.publisher.MACHINE_ID", tmp_path / "machine-id")
    assert node_name("default") != here
    monkeypatch.setattr("streamer.mqtt.publisher.MACHINE_ID", tmp_path / "none")
    assert node_name("default") == node_name("default")


def test_names_that_letters_cannot_spell_stay_two():
    assert len({node_name("Анна"), node_name("Борис"), node_name("anna")}) == 3
    assert node_name("Анна") == node_name("Анна")


@pytest.mark.parametrize("error", [ValueError("queue is full"), RuntimeError("lost")])
def test_a_goodbye_that_cannot_be_said_closes_the_rest(monkeypatch, error):
    output = Output()
    sinks = publishing_to(1, output)
    client = sinks._others[0]._client
    monkeypatch.setattr(client, "is_connected", lambda: True)
    monkeypatch.setattr(client, "publish", Mock(side_effect=error))
    monkeypatch.setattr(client, "loop_stop", stopped := Mock())
    sinks.close()
    stopped.assert_called_once()
    assert output.closed


def test_a_broker_that_refuses_is_told_to_people(tmp_path):
    from tests.mqtt.conftest import MOSQUITTO

    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    broker = Mosquitto(tmp_path, "allow_anonymous false")
    broker.start()
    output = Output()
    sinks = publishing_to(broker.port, output, user="ann", password="wrong")
    sinks.emit(STARTED)
    assert after(lambda: any("refuses" in text for text in output.notices()), sinks)
    sinks.close()
    broker.stop()


def test_the_verb_tells_a_broker_and_a_killed_run_is_offline(
    mosquitto, listener, session_file, streamer, streamer_environment
):
    place = f"127.0.0.1:{mosquitto.port}"
    done = streamer("run", "--json", "--input", session_file, "--mqtt", place)
    assert done.returncode == 0, done.stderr
    said = [event["id"] for event in named(events_of(done.stdout), "utterance")]
    assert said
    assert eventually(lambda: len(listener.of("utterance")) == len(said))
    assert [json.loads(text)["id"] for text in listener.of("utterance")] == said
    assert eventually(lambda: listener.of("availability") == ["online", "offline"])

    words = ["run", "--json", "--again", "--input", session_file, "--realtime", "--mqtt", place]
    running = subprocess.Popen(
        [sys.executable, "-m", "streamer", *map(str, words)],
        env=streamer_environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert eventually(lambda: listener.of("availability")[2:] == ["online"])
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert eventually(lambda: listener.of("availability")[3:] == ["offline"])


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(UsageError, match="install paho-mqtt"):
        publishing_to(1, Output())
