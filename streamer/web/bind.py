"""Where the pages are to be had: host, port and certificate, and which names lead there."""

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.errors import UsageError

DEFAULT_PORT: Final = 8765
LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Address:
    """host: a loopback address, or another together with a certificate; port: None looks for one.

    Make it with `address_from`, which refuses what is not safe.
    """

    host: str
    port: int | None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    def listen(self) -> socket.socket:
        """A socket that listens here. Raises UsageError where that cannot be had."""
        ports = [DEFAULT_PORT, 0] if self.port is None else [self.port]
        for port in ports:
            try:
                return _listening(self.host, port)
            except OSError as error:
                reason = error.strerror
            except UnicodeError:
                reason = "that can be no machine's name"
        raise UsageError(
            f"cannot serve pages on {self.host}, port {ports[0]}: {reason}: "
            "give another --port or --host, or --no-web"
        )

    def url(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{port}"

    def is_ours(self, host_header: str, port: int) -> bool:
        """A Host header that a browser sends which was led here by nobody else's name.

        A page of another site can make its own name point here (DNS rebinding); it cannot make
        the browser call it by a number, by `localhost`, or by this machine's name.
        """
        name, _, given_port = host_header.lower().rpartition(":")
        if given_port != str(port):
            return False
        if name in {"localhost", self.host.lower()}:
            return True
        number = _number(name.removeprefix("[").removesuffix("]"))
        if number is not None:
            return number.is_loopback or not _is_loopback(self.host)
        own = socket.gethostname().lower()
        return not _is_loopback(self.host) and name in {own, f"{own}.local"}


def address_from(
    host: str | None,
    port: int | None,
    *,
    allow_remote: bool = False,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
) -> Address:
    """The address that the flags mean. Raises UsageError where it would lay labels open."""
    host = host or LOOPBACK
    if port is not None and not 0 <= port < 2**16:
        raise UsageError(f"--port {port}: give 0 to 65535; 0 takes a free one")
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("give --tls-cert and --tls-key together, as PEM files")
    if not _is_loopback(host):
        if not allow_remote:
            raise UsageError(
                f"--host {host} would let other machines in: add --allow-remote if they may"
            )
        if tls_cert is None:
            raise UsageError(
                f"--host {host} needs --tls-cert and --tls-key: "
                "without them everybody on the network can listen in"
            )
    if tls_cert is not None and tls_key is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls_cert, tls_key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"cannot use {tls_cert} with {tls_key}: {error}: give a certificate and its key"
            ) from error
    return Address(host, port, tls_cert, tls_key)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    # asyncio turns Nagle's delay off (40 ms an answer) only where the protocol is named.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _is_loopback(host: str) -> bool:
    number = _number(host)
    return host.lower() == "localhost" if number is None else number.is_loopback


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
