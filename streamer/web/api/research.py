"""For programs of a research session: markers by HTTP, events by WebSocket."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from streamer.errors import UsageError
from streamer.web.events import EventHub, TooManyPages
from streamer.web.http import Body, read, reply

# Status codes of RFC 6455 and its registry: done; try again later.
_NORMAL: Final = 1000
_BUSY: Final = 1013


class Happened(Body):
    """name: of the event marker."""

    name: str = Field(min_length=1, max_length=200)


class Research:
    """Handlers. mark: takes a marker's name and origin; None where this process runs no loop."""

    def __init__(self, hub: EventHub, mark: Callable[[str, str], None] | None) -> None:
        self._hub = hub
        self._mark = mark

    async def mark(self, request: Request) -> JSONResponse:
        """Take a marker, stamped on arrival; the event `marker` follows."""
        happened = await read(request, Happened)
        if self._mark is None:
            raise UsageError("nothing listens here: markers go to the pages of `streamer run`")
        self._mark(happened.name, "http")
        return reply({"taken": happened.name})

    async def no_stream(self, request: Request) -> JSONResponse:
        """Asked for without a WebSocket, or where none can be had."""
        words = "open this as a WebSocket; the server needs streamer[lab] for it"
        return reply({"error": words}, 426)

    async def stream(self, socket: WebSocket) -> None:
        """Each event as a JSON object, as `run --json` writes them, from now on."""
        await socket.accept()
        sending = asyncio.create_task(self._send(socket))
        leaving = asyncio.create_task(_until_it_leaves(socket))
        done, pending = await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if sending in done:
            is_full = isinstance(sending.exception(), TooManyPages)
            with suppress(RuntimeError):  # the client was quicker
                await socket.close(_BUSY if is_full else _NORMAL)

    async def _send(self, socket: WebSocket) -> None:
        async with aclosing(self._hub.messages()) as messages:
            async for text in messages:
                await socket.send_text(text)


async def _until_it_leaves(socket: WebSocket) -> None:
    """What a client says is ignored."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
