"""Pages served on a thread of their own, while another one listens."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Final, Literal

import uvicorn
from starlette.types import ASGIApp

from streamer.annotation.first_steps import FirstSteps
from streamer.config import Config
from streamer.loop.loop import Loop
from streamer.store.profile import PAGES_TOKEN_NAME, profile_folder
from streamer.web.api.metrics import ScraperDoor, scraper_token
from streamer.web.auth import LARGEST_BODY, Auth
from streamer.web.bind import Address, make_modern
from streamer.web.events import Broadcast, EventHub
from streamer.web.fault_log import FaultLog, attached
from streamer.web.listener import PATIENCE_S, Listener
from streamer.web.phone import Phone, phone_of
from streamer.web.site import make_site
from streamer.web.store_worker import StoreWorker
from streamer.web.token_file import kept_token

# What h11 holds of a request before its headers are complete; `Auth` has the finer bounds.
LONGEST_HEAD: Final = 96 * 1024
# Connections that wait to be accepted; asyncio takes so many in one turn.
BACKLOG: Final = 128
GOODBYE_S: Final = 3


@dataclass(frozen=True, slots=True)
class Pages:
    """A running web server.

    url: with the token that grants access; sink, first_steps: through which the events of a loop
    reach the pages; token_for_once: see `Auth`; phone: how other machines get there, None
    where they may not.
    """

    url: str
    sink: Broadcast
    first_steps: FirstSteps
    token_for_once: Callable[[], str]
    phone: Phone | None = None

    def at(self, page: str) -> str:
        """The address of a page, such as "/live", with the token."""
        return self.url.replace("/?", f"{page}?", 1)

    def once_at(self, page: str) -> str:
        """The same with a token that is right once."""
        return f"{self.at(page).partition('=')[0]}={self.token_for_once()}"


@contextmanager
def serving(config: Config, address: Address, loop: Loop | None = None) -> Iterator[Pages]:
    """Serve the profile's pages while inside. loop: where this process runs one on that profile.

    Raises UsageError where the address cannot be had, ProfileError for a profile that cannot be.
    """
    folder = profile_folder(config.profile, config.home)
    token = scraper_token(folder)
    kept = kept_token(folder / PAGES_TOKEN_NAME) if config.keep_token else None
    faults = FaultLog()
    with address.listen() as listening, attached(faults, "uvicorn.error"):
        port: int = listening.getsockname()[1]
        hub = EventHub()
        worker = StoreWorker(config, folder, hub, loop)
        site = make_site(worker)
        is_ours = partial(address.is_ours, port=port)
        auth = Auth(
            site,
            is_ours=is_ours,
            scheme=address.scheme,
            cookie=f"streamer-{port}",
            admit=listening.admit,
            token=kept,
        )
        door = ScraperDoor(auth, site, token, is_ours, listening.admit)
        server = _Server(_configured(door, address), listening, faults)
        listening.reserve()
        thread = threading.Thread(target=_serve, args=(server, listening), name="web", daemon=True)
        thread.start()
        worker.prepare_pictures()
        if loop is not None and loop.describer is not None:
            loop.describer.told = lambda utterance: hub.publish("described", {"id": utterance})
        try:
            worker.phone = phone_of(address, port, auth.token)
            yield Pages(
                f"{address.url(port)}/?token={auth.token}",
                Broadcast(hub),
                worker.first_steps,
                auth.token_for_once,
                worker.phone,
            )
        finally:
            hub.close()
            server.should_exit = True
            thread.join(2 * GOODBYE_S)
            worker.close()


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    server.run([listening])


class _Server(uvicorn.Server):
    """uvicorn's, which also ends idle connections and tells each kind of fault once."""

    def __init__(self, config: uvicorn.Config, listening: Listener, faults: FaultLog) -> None:
        super().__init__(config)
        self._listening = listening
        self._faults = faults

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._faults.of_loop)
        await super().serve(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % 10 == 0:
            self._listening.sweep()
        return await super().on_tick(counter)


def _websockets() -> Literal["none", "websockets-sansio"]:
    """With the extra `lab`, programs may follow the events by WebSocket."""
    return "websockets-sansio" if find_spec("websockets") else "none"


def _configured(app: ASGIApp, address: Address) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws=_websockets(),
        ws_max_size=LARGEST_BODY,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_keep_alive=round(PATIENCE_S),
        timeout_graceful_shutdown=GOODBYE_S,
        ssl_certfile=address.tls_cert,
        ssl_keyfile=address.tls_key,
    )
    config.load()
    if config.ssl is not None:
        make_modern(config.ssl)
    return config
