"""Publishes utterances and state to an MQTT broker.

    streamer/NODE/availability   online, offline (also the last will)            retained
    streamer/NODE/state          counts, dropped samples, real-time factor       retained
    streamer/NODE/utterance      the `utterance` event, without its source

Nothing here waits: paho's thread connects, sends, and reconnects. Utterances that occur while the
broker is away are kept, up to `WAITING` of them, and sent when it is back; those beyond are
counted, and a notice says so. No audio is ever sent, nor the name of a recording or microphone.
"""

import hashlib
import json
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from streamer.errors import UsageError
from streamer.events import (
    Ended,
    Event,
    Heard,
    Noticed,
    Revealed,
    Started,
    Status,
    to_json,
)
from streamer.loop.notices import NOTICE_KINDS
from streamer.mqtt.broker import Broker
from streamer.mqtt.discovery import entities
from streamer.text import many

if TYPE_CHECKING:
    from paho.mqtt.client import Client

WAITING: Final = 1000
STATE_EVERY_S: Final = 10.0
RETRY_S: Final = (1, 60)
GOODBYE_S: Final = 2.0
POLL_S: Final = 0.02
ONLINE: Final = "online"
OFFLINE: Final = "offline"
# paho's MQTT_ERR_QUEUE_SIZE: without a connection, messages of QoS 1 wait in a queue.
QUEUE_FULL: Final = 15
MACHINE_ID: Final = Path("/etc/machine-id")


def node_name(profile: str) -> str:
    """This machine and profile, as MQTT and Home Assistant take it.

    Six digits keep names with other letters, and boards that are all called raspberrypi, distinct;
    the machine's number cannot be derived from them.

    >>> re.fullmatch(".+-ann-s-voice-[0-9a-f]{6}", node_name("Ann's voice")) is not None
    True
    """
    whole = f"{socket.gethostname()}-{profile}"
    name = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")
    digits = hashlib.sha256(f"{_machine_number()}\n{whole}".encode()).hexdigest()[:6]
    return f"{name}-{digits}"


def _machine_number() -> str:
    try:
        return MACHINE_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


class MqttPublisher:
    """A sink that publishes to a broker.

    notify: passes a notice to people, from any thread; wall_s: seconds since 1970, sent with each
    utterance; now_s: a steady clock. Raises UsageError where paho-mqtt is not installed.
    """

    name = "MQTT"

    def __init__(
        self,
        broker: Broker,
        profile: str,
        notify: Callable[..., None],
        wall_s: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._broker = broker
        self._notify = notify
        self._node = node_name(profile)
        self._topic = f"streamer/{self._node}"
        self._wall_s = wall_s
        self._now_s = now_s
        self._sent_s = -STATE_EVERY_S
        self._lost = 0
        self._waiting: set[int] = set()
        self._acknowledged: deque[int] = deque()
        self._reachable: bool | None = None
        self._client = self._make_client()

    def emit(self, event: Event) -> None:
        if isinstance(event, Started):
            text = f"every utterance is sent to the MQTT broker {self._broker}"
            self._notify(text, "privacy")
            self._client.connect_async(self._broker.host, self._broker.port)
            self._client.loop_start()
        elif isinstance(event, Heard | Revealed):
            values = to_json(event.heard if isinstance(event, Revealed) else event)
            del values["event"], values["source"]
            self._publish_utterance({**values, "heard_at": self._wall_s()})
        elif isinstance(event, Noticed) and NOTICE_KINDS[event.kind].is_of_sound:
            # Without the name of the file or device, as utterances are.
            _, _, text = event.text.partition(": ")
            notice = {"kind": event.kind, "text": text, "at": self._wall_s()}
            payload = json.dumps(notice, ensure_ascii=False)
            self._client.publish(f"{self._topic}/notice", payload, qos=1, retain=True)
        elif isinstance(event, Ended):
            self._wait_for_last_ones()
            state = {**asdict(event), "undelivered": self._lost}
            self._publish("state", {"state": "ended", **state})

    def tick(self, status: Callable[[], Status]) -> None:
        self._settle()
        now_s = self._now_s()
        if now_s - self._sent_s >= STATE_EVERY_S and self._client.is_connected():
            self._sent_s = now_s
            state = asdict(status())
            for passing in ("level_dbfs", "speaking", "buffer"):
                del state[passing]
            values = {"state": "listening", **state, "undelivered": self._lost}
            self._publish("state", values)

    def close(self) -> None:
        """Announce the end to the broker, where connected, within about `GOODBYE_S`."""
        if self._client.is_connected():
            # The queue is full or the connection was lost: the last will says the same.
            with suppress(ValueError, RuntimeError):
                gone = self._client.publish(f"{self._topic}/availability", OFFLINE, 1, retain=True)
                gone.wait_for_publish(GOODBYE_S)
            self._client.disconnect()
            self._client.loop_stop()

    def _make_client(self) -> "Client":
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError as error:
            raise UsageError("--mqtt needs paho-mqtt: python -m pip install paho-mqtt") from error
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"streamer-{self._node}")
        client.max_queued_messages_set(WAITING)
        client.reconnect_delay_set(*RETRY_S)
        client.will_set(f"{self._topic}/availability", OFFLINE, qos=1, retain=True)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _publish(self, name: str, values: Mapping[str, Any]) -> None:
        payload = json.dumps(values, ensure_ascii=False)
        self._client.publish(f"{self._topic}/{name}", payload, retain=True)

    def _publish_utterance(self, values: Mapping[str, Any]) -> None:
        payload = json.dumps(values, ensure_ascii=False)
        done = self._client.publish(f"{self._topic}/utterance", payload, qos=1)
        if done.rc != QUEUE_FULL:
            self._waiting.add(done.mid)
            return
        self._lost += 1
        if self._lost == 1:
            self._notify(
                f"the MQTT broker {self._broker} is away and {WAITING} utterances wait for it: "
                "further ones are not sent to it (the profile keeps them)"
            )

    def _wait_for_last_ones(self) -> None:
        """Give the last utterances a moment to arrive, unless it is known that they cannot."""
        until_s = self._now_s() + GOODBYE_S
        self._settle()
        while self._waiting and self._reachable is not False and self._now_s() < until_s:
            time.sleep(POLL_S)
            self._settle()
        if self._waiting:
            self._notify(
                f"the MQTT broker {self._broker} did not receive the last "
                f"{many(len(self._waiting), 'utterance')}"
            )

    def _settle(self) -> None:
        while self._acknowledged:
            self._waiting.discard(self._acknowledged.popleft())

    # Called on paho's thread.

    def _on_connect(
        self, client: "Client", _: object, flags: object, code: Any, properties: object
    ) -> None:
        if code.is_failure:
            self._notify_unreachable(f"refuses: {code}")
            return
        for topic, configuration in entities(self._node, self._topic):
            client.publish(topic, json.dumps(configuration), retain=True)
        # QoS 0 is sent at once; the queue may be full of utterances.
        client.publish(f"{self._topic}/availability", ONLINE, retain=True)
        if self._reachable is False:
            self._notify(f"the MQTT broker {self._broker} is back")
        self._reachable = True

    def _on_connect_fail(self, client: "Client", _: object) -> None:
        self._notify_unreachable("cannot be reached")

    def _on_disconnect(
        self, client: "Client", _: object, flags: object, code: Any, properties: object
    ) -> None:
        if code.is_failure:
            self._notify_unreachable("went away")

    def _on_publish(
        self, client: "Client", _: object, number: int, code: object, properties: object
    ) -> None:
        self._acknowledged.append(number)

    def _notify_unreachable(self, how: str) -> None:
        """Once, until it is back."""
        if self._reachable is not False:
            self._notify(f"the MQTT broker {self._broker} {how}: retrying")
        self._reachable = False
