"""The flags of the pages in a browser, and their server."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.output import tell
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.loop.loop import Loop
    from streamer.web.bind import Address
    from streamer.web.phone import Phone
    from streamer.web.server import Pages

# In the folder of the profiles; no profile's name begins with a dot.
OWN_CERTIFICATE = ".certificate"

PortFlag = Annotated[
    int | None, typer.Option(help="Port of the pages [8765, or a free one].", min=0, max=65535)
]
HostFlag = Annotated[str | None, typer.Option(help="Address of the pages [127.0.0.1].")]
RemoteFlag = Annotated[
    bool, typer.Option("--allow-remote", help="Let other machines open the pages; needs TLS.")
]
NearFlag = Annotated[
    bool | None,
    typer.Option(
        "--remote-playback",
        help="Also ignore what pages on other machines play: they are near this microphone.",
        show_default=False,
    ),
]
KeepFlag = Annotated[
    bool | None,
    typer.Option(
        "--keep-token",
        help="Keep the key in the pages' address for the next start.",
        show_default=False,
    ),
]
CertFlag = Annotated[Path | None, typer.Option("--tls-cert", help="Certificate of the pages, PEM.")]
OpenFlag = Annotated[
    bool,
    typer.Option("--open/--no-open", help="Open the first steps in the browser of this desktop."),
]
SelfSignedFlag = Annotated[
    bool,
    typer.Option(
        "--self-signed",
        help="With a certificate of this machine's own making, on all its addresses [--host].",
    ),
]
KeyFlag = Annotated[Path | None, typer.Option("--tls-key", help="Key of that certificate, PEM.")]


def on_a_desktop() -> bool:
    """Whether there is a display for a browser, and a terminal that shows the address."""
    display = sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    streams = (sys.stdin, sys.stdout)
    return display and all(stream is not None and stream.isatty() for stream in streams)


@contextmanager
def pages(
    settings: "Config", address: "Address", loop: "Loop | None" = None, page: str = "/"
) -> Iterator["Pages"]:
    """Serve the pages and print their address. loop: the one that this process runs, if any.

    page: the one to begin with.
    """
    from streamer.web.server import serving

    with serving(settings, address, loop) as served:
        tell(f"label and watch in your browser: {served.at(page)}")
        if served.phone is not None:
            _tell_phone(served.phone)
        yield served


def open_in_browser(address: str) -> None:
    """Open a page in the browser of this desktop, without waiting for it, or a word of its own.

    address: one that works once, as other users of this machine see the browser's arguments.
    """
    import threading
    import webbrowser

    def open_it() -> None:
        with suppress(webbrowser.Error):
            webbrowser.open(address)

    threading.Thread(target=open_it, name="browser", daemon=True).start()


def _tell_phone(phone: "Phone") -> None:
    """The way to the pages from a phone in the same network."""
    if sys.stderr.isatty():
        print(phone.terminal_code(), file=sys.stderr)
    tell(f"on a phone in this network: {phone.url}")
    tell(f"its browser shows this SHA-256 fingerprint of the certificate: {phone.fingerprint}")


def require_no_page_flags(*flags: object) -> None:
    """Raises UsageError where flags of the pages are given, but no pages are served."""
    if any(flag not in (None, False) for flag in flags):
        raise UsageError(
            "--port, --host, --allow-remote, --self-signed and --tls-... require --web: add it"
        )


def address_of(
    host: str | None,
    port: int | None,
    allow_remote: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    self_signed: Path | None = None,
) -> "Address":
    """The address that the flags describe. self_signed: the folder of this machine's certificate.

    Raises UsageError where it is not safe.
    """
    from streamer.web.bind import address_from

    if self_signed is not None:
        if tls_cert is not None or tls_key is not None:
            raise UsageError("--self-signed and --tls-cert exclude each other: give one of them")
        from streamer.web.certificate import own_certificate

        host = host or "0.0.0.0"
        if allow_remote:
            tls_cert, tls_key = own_certificate(self_signed)
    return address_from(host, port, allow_remote=allow_remote, tls_cert=tls_cert, tls_key=tls_key)
