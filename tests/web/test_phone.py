"""The certificate of this machine's own, and the way to the pages for a phone."""

import ssl
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from streamer.cli.pages import address_of
from streamer.errors import StreamerError, UsageError
from streamer.web import certificate as own
from streamer.web.bind import Address
from streamer.web.phone import Phone, phone_of
from streamer.web.server import serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "own"


def test_it_is_kept_and_its_key_is_private(folder):
    certificate, key = own.own_certificate(folder)
    first = certificate.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert own.own_certificate(folder) == (certificate, key)
    assert certificate.read_bytes() == first


def test_it_is_renewed_before_it_ends_and_when_a_name_is_new(folder, monkeypatch):
    now = datetime.now(UTC)
    certificate, _ = own.own_certificate(folder, now)
    first = certificate.read_bytes()
    own.own_certificate(folder, now + timedelta(days=own.DAYS - own.RENEW_DAYS - 3))
    assert certificate.read_bytes() == first
    own.own_certificate(folder, now + timedelta(days=own.DAYS - own.RENEW_DAYS))
    second = certificate.read_bytes()
    assert second != first
    monkeypatch.setattr(own, "local_numbers", lambda: ["10.9.8.7"])
    own.own_certificate(folder, now + timedelta(days=own.DAYS - own.RENEW_DAYS))
    assert certificate.read_bytes() != second


def test_a_damaged_one_is_told_with_the_remedy(folder):
    certificate, _ = own.own_certificate(folder)
    certificate.write_text("none")
    with pytest.raises(UsageError, match="--self-signed"):
        own.own_certificate(folder)


def test_a_client_that_trusts_it_reaches_the_page_with_the_code(config, asked, folder):
    """As a phone would, by number; the page shows the code and the fingerprint that it sees."""
    certificate, key = own.own_certificate(folder)
    address = Address("0.0.0.0", 0, certificate, key)
    with serving(config, address) as pages:
        assert pages.phone is not None
        port = int(pages.url.rpartition(":")[2].partition("/")[0])
        trusting = ssl.create_default_context(cafile=str(certificate))

        def ask(path: str, **headers: str):
            connection = HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            seen = connection.sock.getpeercert(binary_form=True)
            body = answer.read().decode()
            connection.close()
            return answer.getheader("set-cookie"), body, seen

        cookie, _, seen = ask("/?" + pages.url.partition("?")[2])
        page = ask("/profile", cookie=cookie.split(";")[0])[1]
    pem = folder / "seen.pem"
    pem.write_text(ssl.DER_cert_to_PEM_cert(seen))
    assert pages.phone.fingerprint == own.fingerprint_of(pem)
    assert pages.phone.fingerprint in page
    assert "Open on a phone" in page
    assert "data:image/svg+xml" in page


def test_pages_of_this_machine_alone_have_no_code(certificate):
    assert phone_of(Address("127.0.0.1", 9000), 9000, "t") is None
    assert phone_of(Address("127.0.0.1", 9000, *certificate), 9000, "t") is None


def test_the_code_fits_a_terminal_and_is_the_address():
    phone = Phone("https://192.168.178.23:8765/?token=" + "x" * 43, "AA")
    lines = phone.terminal_code().splitlines()
    assert 15 < len(lines) <= 24
    assert phone.picture().startswith("data:image/svg+xml")


def test_it_is_asked_for_beside_the_leave_to_let_others_in(folder):
    with pytest.raises(UsageError, match="--allow-remote"):
        address_of(None, None, False, None, None, folder)
    assert not folder.exists()
    address = address_of(None, 9000, True, None, None, folder)
    assert (address.host, address.scheme) == ("0.0.0.0", "https")
    with pytest.raises(UsageError, match="exclude each other"):
        address_of(None, None, True, folder, folder, folder)


def test_a_missing_library_is_told_with_its_remedy(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography", None)
    with pytest.raises(StreamerError, match=r"streamer\[phone\]"):
        own.own_certificate(folder)
