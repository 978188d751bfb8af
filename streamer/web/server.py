"""Pages served on a thread of their own, while another one listens."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from streamer.config import Config
from streamer.loop.loop import Loop
from streamer.store.profile import profile_folder
from streamer.web.api.metrics import ScraperDoor, scraper_token
from streamer.web.auth import Auth
from streamer.web.bind import Address
from streamer.web.events import Broadcast, EventHub
from streamer.web.site import make_site
from streamer.web.store_worker import StoreWorker

# Open connections; beyond, the answer is 503.
MOST_CONNECTIONS: Final = 200
LONGEST_HEADERS: Final = 16 * 1024
GOODBYE_S: Final = 3


@dataclass(frozen=True, slots=True)
class Pages:
    """A running web server.

    url: with the token that grants access; sink: through which the events of a loop
    reach the pages.
    """

    url: str
    sink: Broadcast


@contextmanager
def serving(config: Config, address: Address, loop: Loop | None = None) -> Iterator[Pages]:
    """Serve the profile's pages while inside. loop: where this process runs one on that profile.

    Raises UsageError where the address cannot be had, ProfileError for a profile that cannot be.
    """
    folder = profile_folder(config.profile, config.home)
    token = scraper_token(folder)
    with address.listen() as listening:
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
        )
        door = ScraperDoor(auth, site, token, is_ours)
        server = _server(door, address)
        thread = threading.Thread(target=_serve, args=(server, listening), name="web", daemon=True)
        thread.start()
        worker.prepare_pictures()
        try:
            yield Pages(f"{address.url(port)}/?token={auth.token}", Broadcast(hub))
        finally:
            hub.close()
            server.should_exit = True
            thread.join(2 * GOODBYE_S)
            worker.close()


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    server.run([listening])


def _server(app: ASGIApp, address: Address) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=LONGEST_HEADERS,
            timeout_graceful_shutdown=GOODBYE_S,
            ssl_certfile=address.tls_cert,
            ssl_keyfile=address.tls_key,
        )
    )
