"""The way to the pages for a phone in the same network: an address, its code, a fingerprint."""

import io
from dataclasses import dataclass
from typing import Any, Final

from streamer.web.bind import Address
from streamer.web.certificate import fingerprint_of, local_numbers

_ANY: Final = {"0.0.0.0", "::"}
_MODULE_PX: Final = 5


@dataclass(frozen=True, slots=True)
class Phone:
    """url: with the token; fingerprint: SHA-256 of the certificate, as browsers show it."""

    url: str
    fingerprint: str

    def terminal_code(self) -> str:
        """The QR code in half blocks, "" where segno is not installed."""
        code = _code(self.url)
        if code is None:
            return ""
        out = io.StringIO()
        code.terminal(out=out, compact=True)
        return out.getvalue()

    def picture(self) -> str:
        """The QR code as an SVG in a data address, "" where segno is not installed."""
        code = _code(self.url)
        if code is None:
            return ""
        return str(code.svg_data_uri(scale=_MODULE_PX, dark="#000", light="#fff"))


def phone_of(address: Address, port: int, token: str) -> Phone | None:
    """None for pages that are served to this machine alone, or without a certificate."""
    if address.tls_cert is None or address.is_local:
        return None
    numbers = local_numbers() if address.host in _ANY else [address.host]
    reached = Address(numbers[0] if numbers else address.host, port, address.tls_cert)
    return Phone(f"{reached.url(port)}/?token={token}", fingerprint_of(address.tls_cert))


def _code(url: str) -> Any:
    try:
        import segno
    except ModuleNotFoundError:
        return None
    return segno.make(url, error="l", micro=False)
