"""A screen that shows everything on another one, and tells the pages too."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from streamer.events import Event, Status, to_json
from streamer.loop.run import Screen
from streamer.web.events import EventHub

STATUS_EVERY_S: Final = 0.2
UNWATCHED_EVERY_S: Final = 5.0
CPU_WINDOW_S: Final = 2.0


class Broadcast:
    """What it adds to the listening thread is an append; see `EventHub.publish`."""

    def __init__(self, screen: Screen, hub: EventHub) -> None:
        self._screen = screen
        self._hub = hub
        self._told_s = -UNWATCHED_EVERY_S
        self._cpu_share = 0.0
        self._since = (time.monotonic(), time.process_time())

    def show(self, event: Event) -> None:
        values = to_json(event)
        self._hub.publish(values.pop("event"), values)
        self._screen.show(event)

    def refresh(self, status: Callable[[], Status]) -> None:
        now_s = time.monotonic()
        self._hub.beat_s = now_s
        every_s = STATUS_EVERY_S if self._hub.watched else UNWATCHED_EVERY_S
        if now_s - self._told_s >= every_s:
            self._told_s = now_s
            self._measure(now_s)
            self._hub.publish("status", {**asdict(status()), "cpu_share": self._cpu_share})
        self._screen.refresh(status)

    def close(self) -> None:
        self._screen.close()

    def _measure(self, now_s: float) -> None:
        """Processor seconds of this process, all threads, a second of the clock."""
        then_s, used_s = self._since
        if now_s - then_s >= CPU_WINDOW_S:
            now_used_s = time.process_time()
            self._cpu_share = (now_used_s - used_s) / (now_s - then_s)
            self._since = (now_s, now_used_s)
