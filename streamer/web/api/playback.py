"""What a page plays, told to whoever listens: it is not to be taken for speech."""

import ipaddress
from typing import Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from streamer.store.playback import PlaybackFile
from streamer.web.http import Body, read, reply
from streamer.web.store_worker import StoreWorker

# A page tells before it plays, and when it has ended: that may be later than the clip is long.
LATE_S: Final = 1.0


class Played(Body):
    """duration_s: of the clip that is about to be played, or 0 when it has ended."""

    player: str = Field(min_length=1, max_length=64)
    duration_s: float = Field(ge=0, le=600, allow_inf_nan=False)


class PlaybackRequests:
    """Pages of another machine, such as a phone, play where the microphone may not be: they count
    only with the setting `remote_playback`.
    """

    def __init__(self, worker: StoreWorker) -> None:
        self._remote_too = worker.config.remote_playback
        self._file = PlaybackFile(worker.folder)

    async def tell(self, request: Request) -> JSONResponse:
        played = await read(request, Played)
        counts = self._remote_too or _is_of_this_machine(request)
        if counts and played.duration_s:
            self._file.begin(played.duration_s + LATE_S, played.player)
        elif counts:
            self._file.end(played.player)
        return reply({"told": counts})


def _is_of_this_machine(request: Request) -> bool:
    """From its loopback, or from the address that it was asked at."""
    if request.client is None:
        return False
    host = request.client.host
    try:
        loopback = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
    server: tuple[str, int] | None = request.scope.get("server")
    return loopback or (server is not None and host == server[0])
