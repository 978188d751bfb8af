"""Events from the loop's thread to any number of pages, none of which can hold it up.

`publish` appends to a bounded deque and returns. The web thread hands copies to bounded queues,
one a page; a page that does not keep up loses its queue and is asked to reload the state.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import asdict
from typing import Any, Final

from streamer.events import Event, Status, to_json

PENDING: Final = 1000
WAITING: Final = 64
MOST_PAGES: Final = 32
HEARTBEAT_S: Final = 15.0
KEPT_NOTICES: Final = 20
# What holds until the next of its kind: sent first to a page that opens later.
_LASTING: Final = ("start", "status", "end")

STATUS_EVERY_S: Final = 0.2
UNWATCHED_EVERY_S: Final = 5.0
CPU_WINDOW_S: Final = 2.0

Named = tuple[str, Mapping[str, Any]]
_NOTHING: Final[Named] = ("", {})


class TooManyPages(Exception):
    pass


class EventHub:
    """`publish` and `close` may be called from any thread; the rest from the web server's loop.

    beat_s: when the loop last gave a sign of life, on the monotonic clock.
    """

    def __init__(self) -> None:
        self._pending: deque[Named] = deque(maxlen=PENDING)
        self._pages: set[asyncio.Queue[Named | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake = False
        self.lasting: dict[str, Mapping[str, Any]] = {}
        self.notices: deque[Mapping[str, Any]] = deque(maxlen=KEPT_NOTICES)
        self.reloads = 0
        self.beat_s: float | None = None

    @property
    def watched(self) -> bool:
        """Whether a page is open."""
        return bool(self._pages)

    def publish(self, name: str, values: Mapping[str, Any]) -> None:
        """Send to all pages; never waits."""
        if name in _LASTING:
            self.lasting[name] = values
        if name == "notice":
            self.notices.append(values)
        if self._loop is None or not self._pages:
            return
        self._pending.append((name, values))
        if not self._awake:
            self._awake = True
            self._on_loop(self._deliver)

    async def follow(self) -> AsyncIterator[str]:
        """The stream of one page, in the form of server-sent events. Raises TooManyPages."""
        first = "retry: 1000\n"
        async with aclosing(self._events()) as events:
            async for name, values in events:
                yield first + (_written(name, values) if name else ": still here\n\n")
                first = ""

    async def messages(self) -> AsyncGenerator[str]:
        """The stream of one program: JSON objects with the key "event". Raises TooManyPages."""
        async with aclosing(self._events()) as events:
            async for name, values in events:
                if name:
                    yield json.dumps({"event": name, **values}, separators=(",", ":"))

    async def _events(self) -> AsyncGenerator[Named]:
        """First "hello", with what holds; the name "" now and then, where nothing happens."""
        if len(self._pages) >= MOST_PAGES:
            raise TooManyPages
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Named | None] = asyncio.Queue(WAITING)
        self._pages.add(queue)
        try:
            yield "hello", self.lasting
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    event = _NOTHING
                if event is None:
                    return
                yield event
        finally:
            self._pages.discard(queue)

    def close(self) -> None:
        """End all streams."""
        self._on_loop(self._end_all)

    def _on_loop(self, what: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the web server has ended
                self._loop.call_soon_threadsafe(what)

    def _end_all(self) -> None:
        for queue in self._pages:
            _refill(queue, None)

    def _deliver(self) -> None:
        self._awake = False
        while self._pending:
            event = self._pending.popleft()
            for queue in self._pages:
                try:
                    queue.put_nowait(event)
                except asyncio.QueueFull:
                    self.reloads += 1
                    _refill(queue, ("reload", {}))


class Broadcast:
    """A sink that publishes to a hub; it costs the loop's thread an append, no more."""

    name = "the pages"

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub
        self._published_s = -UNWATCHED_EVERY_S
        self._cpu_share = 0.0
        self._since = (time.monotonic(), time.process_time())

    def emit(self, event: Event) -> None:
        values = to_json(event)
        self._hub.publish(values.pop("event"), values)

    def tick(self, status: Callable[[], Status]) -> None:
        now_s = time.monotonic()
        self._hub.beat_s = now_s
        every_s = STATUS_EVERY_S if self._hub.watched else UNWATCHED_EVERY_S
        if now_s - self._published_s >= every_s:
            self._published_s = now_s
            self._measure(now_s)
            self._hub.publish("status", {**asdict(status()), "cpu_share": self._cpu_share})

    def close(self) -> None:
        pass

    def _measure(self, now_s: float) -> None:
        """Processor seconds of this process, all threads, a second of the clock."""
        then_s, used_s = self._since
        if now_s - then_s >= CPU_WINDOW_S:
            now_used_s = time.process_time()
            self._cpu_share = (now_used_s - used_s) / (now_s - then_s)
            self._since = (now_s, now_used_s)


def _refill(queue: "asyncio.Queue[Named | None]", event: Named | None) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(event)


def _written(name: str, values: Mapping[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(values, separators=(',', ':'))}\n\n"
