"""Where the pages are to be had: host, port and certificate, and which names lead there."""

import ipaddress
import os
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.errors import UsageError
from streamer.web.listener import Listener

DEFAULT_PORT: Final = 8765
LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 128
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1024
_PORT: Final = re.compile("[0-9]{1,5}")
# Forward secrecy and authenticated encryption, for what still speaks TLS 1.2.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


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
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return _is_loopback(self.host)

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    def listen(self) -> Listener:
        """A socket that listens here. Raises UsageError where that cannot be had."""
        ports = [DEFAULT_PORT, 0] if self.port is None else [self.port]
        for port in ports:
            try:
                return _listening(self.host, port)
            except PermissionError as error:
                reason = error.strerror
                if 0 < port < _FIRST_FREE_PORT:
                    raise UsageError(
                        f"--port {port}: ports below {_FIRST_FREE_PORT} are the system's: give a "
                        f"higher one, or allow it (sudo sysctl net.ipv4.ip_unprivileged_port_start="
                        f"{port})"
                    ) from error
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
        shown = "" if port == _DEFAULT_PORTS[self.scheme] else f":{port}"
        return f"{self.scheme}://{host}{shown}"

    def is_ours(self, host_header: str, port: int) -> bool:
        """A Host header that a browser sends which was led here by nobody else's name.

        A page of another site can make its own name point here (DNS rebinding); it cannot make
        the browser call it by a number, by `localhost`, or by this machine's name. The port that a
        browser called a loopback address by may be any: it is that of the near end of a tunnel.
        The Origin of a page is compared with the whole Host header, so one of another port of the
        same host is still another site's.
        """
        name, given_port = _split(host_header.lower())
        if _is_loopback(name.removeprefix("[").removesuffix("]")) and _is_port(given_port):
            return True
        if given_port == "" and port == _DEFAULT_PORTS[self.scheme]:
            given_port = str(port)  # browsers leave it out
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
    tunnel = f"{port or DEFAULT_PORT}:{LOOPBACK}:{port or DEFAULT_PORT}"
    if not _is_loopback(host):
        if not allow_remote:
            raise UsageError(
                f"--host {host} would let other machines in: add --allow-remote if they may, or "
                f"leave it out and use a tunnel from there: ssh -L {tunnel} "
                f"USER@{socket.gethostname()}"
            )
        if tls_cert is None:
            raise UsageError(
                f"--host {host} needs --self-signed, or --tls-cert and --tls-key: without them "
                "everybody on the network can listen in. Or leave it out and use a tunnel from "
                f"there: ssh -L {tunnel} USER@{socket.gethostname()}"
            )
    if tls_cert is not None and tls_key is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls_cert, tls_key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"cannot use {tls_cert} with {tls_key}: {error}: give a certificate and its key"
            ) from error
    return Address(host, port, tls_cert, tls_key)


def make_modern(context: ssl.SSLContext) -> None:
    """TLS 1.3, and of 1.2 only suites with forward secrecy and authenticated encryption."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def _is_port(text: str) -> bool:
    """Of a Host header, in which browsers leave out the default one."""
    return text == "" or (_PORT.fullmatch(text) is not None and 0 < int(text) < 2**16)


def _split(host_header: str) -> tuple[str, str]:
    """Name and port of a Host header, "" where it has none; brackets belong to the name."""
    name, colon, port = host_header.rpartition(":")
    return (name, port) if colon and "]" not in port else (host_header, "")


def _listening(host: str, port: int) -> Listener:
    made = Listener(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0])
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
