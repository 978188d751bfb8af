"""A certificate of this machine's own, for pages that a phone in the same network opens."""

import hashlib
import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psutil

from streamer.errors import StreamerError, UsageError
from streamer.system import make_private_folder, write_private

CERTIFICATE: Final = "certificate.pem"
KEY: Final = "certificate.key"
# Browsers take none of more days; it is renewed in time, or when the machine's names change.
DAYS: Final = 397
RENEW_DAYS: Final = 30


def own_certificate(folder: Path, now: datetime | None = None) -> tuple[Path, Path]:
    """The self-signed certificate in a folder and its key, as PEM files.

    Made at the first call, and renewed when due.

    Parameters
    ----------
    folder
        Its key is readable by its owner alone.
    now
        For tests.

    Raises
    ------
    StreamerError
        Where cryptography is not installed.
    UsageError
        Where the folder cannot be written.
    """
    now = now or datetime.now(UTC)
    certificate, key = folder / CERTIFICATE, folder / KEY
    try:
        if not _is_good(certificate, key, now):
            _make(certificate, key, now)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--self-signed: {folder}: {error}: make it writable, or give --tls-cert and --tls-key"
        ) from error
    return certificate, key


def fingerprint_of(certificate: Path) -> str:
    """The SHA-256 of a PEM file's first certificate, in the form in which browsers show it."""
    text = certificate.read_text("ascii", "replace")
    begin, end = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    first = text[text.index(begin) : text.index(end) + len(end)]
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def local_numbers() -> list[str]:
    """This machine's own addresses by which others of its network reach it, IPv4 first."""
    found = []
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                number = ipaddress.ip_address(one.address.partition("%")[0])
                if not (number.is_loopback or number.is_link_local or number.is_multicast):
                    found.append(number)
    return [str(number) for number in sorted(found, key=lambda one: (one.version, int(one)))]


def _names() -> tuple[set[str], set[str]]:
    """The names and the numbers that the certificate is for."""
    own = socket.gethostname().lower()
    return {"localhost", own, f"{own}.local"}, {"127.0.0.1", "::1", *local_numbers()}


def _is_good(certificate: Path, key: Path, now: datetime) -> bool:
    x509 = _library()
    if not (certificate.exists() and key.exists()):
        return False
    kept = x509.load_pem_x509_certificate(certificate.read_bytes())
    found = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = set(found.get_values_for_type(x509.DNSName))
    numbers = {str(one) for one in found.get_values_for_type(x509.IPAddress)}
    own_names, own_numbers = _names()
    in_time = kept.not_valid_before_utc <= now < kept.not_valid_after_utc - timedelta(RENEW_DAYS)
    return in_time and own_names <= names and own_numbers <= numbers


def _make(certificate: Path, key: Path, now: datetime) -> None:
    x509 = _library()
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    names, numbers = _names()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Streamer")])
    secret = ec.generate_private_key(ec.SECP256R1())
    alternatives = [x509.DNSName(name) for name in sorted(names)]
    alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in sorted(numbers)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a Raspberry Pi has no clock of its own
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(secret, hashes.SHA256())
    )
    make_private_folder(certificate.parent)
    private = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(key, private)
    write_private(certificate, made.public_bytes(serialization.Encoding.PEM))


def _library() -> Any:
    try:
        from cryptography import x509
    except ModuleNotFoundError as error:
        raise StreamerError(
            "cryptography is not installed; --self-signed needs it: python -m pip install "
            "'streamer[phone]'"
        ) from error
    return x509
