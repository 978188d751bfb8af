"""The listening socket of the pages: how many connections are open, and for how long.

Every user of the machine can connect to it, without a token. So a connection that bears none has
ten seconds, and where there are too many, the oldest of those goes: whoever sends a request with a
token at once is served, also while others open connections without end. It works below HTTP and
TLS, so that neither an unfinished handshake nor half a header holds a place.
"""

import errno
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil

# Open connections; the descriptors that are left to the rest of the program.
MOST_CONNECTIONS: Final = 200
_RESERVED_DESCRIPTORS: Final = 64
_FEWEST: Final = 8
# So many more may be open for a moment: those that were ended, but are not closed yet.
_ENDING: Final = 16
PATIENCE_S: Final = 10.0
_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

Client = tuple[str, int]


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    host: str
    since_s: float
    admitted: bool = False
    ended: bool = False

    def end(self) -> None:
        """As if the other side had closed it: whoever reads from it then closes it here."""
        self.ended = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Listener(socket.socket):
    """A TCP socket that listens, with bounds on what it accepts.

    Parameters
    ----------
    family
        `socket.AF_INET` or `socket.AF_INET6`.
    now_s
        A steady clock, in seconds.

    Attributes
    ----------
    most : int
        Connections that may be open at once.
    """

    def __init__(self, family: int, now_s: Callable[[], float] = time.monotonic) -> None:
        # asyncio turns Nagle's delay off (40 ms an answer) only where the protocol is named.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.most = MOST_CONNECTIONS
        self._now_s = now_s
        self._connections: dict[Client, _Connection] = {}

    def reserve(self) -> None:
        """Leave descriptors to the rest of the program; call it when that has opened its files."""
        self.most = min(MOST_CONNECTIONS, max(_FEWEST, _free_descriptors()))

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; the oldest without a token ends where there are too many.

        Raises BlockingIOError, for "later", where those have to be closed first, or the machine
        has no descriptors left: an event loop then comes back, and writes no traceback.
        """
        self._forget_closed()
        if len(self._connections) >= self.most + _ENDING:
            raise BlockingIOError
        try:
            accepted, address = super().accept()
        except OSError as error:
            if error.errno in _EXHAUSTED and self._end_one():
                raise BlockingIOError from error
            raise
        client = (str(address[0]), int(address[1]))
        self._connections[client] = _Connection(accepted, client[0], self._now_s())
        if sum(not one.ended for one in self._connections.values()) > self.most:
            self._end_one()
        return accepted, address

    def admit(self, client: Client | None) -> None:
        """A request with the right token or cookie came from there: it may stay."""
        if client in self._connections:
            self._connections[client].admitted = True

    def sweep(self) -> None:
        """End the connections that bore no token in time; call it about once a second."""
        self._forget_closed()
        until_s = self._now_s() - PATIENCE_S
        for one in self._connections.values():
            if not one.admitted and not one.ended and one.since_s < until_s:
                one.end()

    def _end_one(self) -> bool:
        """End the oldest of the host that has most of those without a token, if there is one."""
        alive = [one for one in self._connections.values() if not one.ended]
        found = [one for one in alive if not one.admitted] or alive
        if not found:
            return False
        ((host, _),) = Counter(one.host for one in found).most_common(1)
        next(one for one in found if one.host == host).end()
        return True

    def _forget_closed(self) -> None:
        closed = [client for client, one in self._connections.items() if one.socket.fileno() < 0]
        for client in closed:
            del self._connections[client]


def _free_descriptors() -> int:
    if os.name != "posix":
        return MOST_CONNECTIONS
    import resource

    limit: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    used: int = psutil.Process().num_fds()
    return limit - used - _RESERVED_DESCRIPTORS
