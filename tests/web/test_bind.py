"""Where the pages may be served, and under which names."""

import socket
import ssl

import pytest

from streamer.errors import UsageError
from streamer.web.bind import Address, address_from, make_modern
from streamer.web.listener import Listener


def test_the_usual_address_is_this_machine_alone():
    assert address_from(None, None) == Address("127.0.0.1", None)
    assert address_from("localhost", 8000).scheme == "http"
    assert address_from("::1", 8000).url(8000) == "http://[::1]:8000"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "box.example", "127.0.0.1.evil"])
def test_other_machines_come_in_only_when_asked_for_and_by_tls(host):
    with pytest.raises(UsageError, match="--allow-remote"):
        address_from(host, None)
    with pytest.raises(UsageError, match="--tls-cert"):
        address_from(host, None, allow_remote=True)


def test_certificate_and_key_belong_together(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    with pytest.raises(UsageError, match="together"):
        address_from(None, None, tls_cert=cert)
    with pytest.raises(UsageError, match="cannot use"):
        address_from("0.0.0.0", None, allow_remote=True, tls_cert=cert, tls_key=key)
    cert.write_text("no certificate")
    key.write_text("no key")
    with pytest.raises(UsageError, match="cannot use"):
        address_from("0.0.0.0", None, allow_remote=True, tls_cert=cert, tls_key=key)


def test_with_a_certificate_other_machines_may_come(certificate):
    cert, key = certificate
    found = address_from("0.0.0.0", 9000, allow_remote=True, tls_cert=cert, tls_key=key)
    assert found.url(9000) == "https://0.0.0.0:9000"


def test_a_number_is_no_name_that_another_site_could_own():
    everywhere = Address("0.0.0.0", 9000)
    assert everywhere.is_ours("192.168.1.5:9000", 9000)
    assert everywhere.is_ours("localhost:9000", 9000)
    assert not everywhere.is_ours("evil.example:9000", 9000)
    here = Address("127.0.0.1", 9000)
    assert here.is_ours("127.0.0.1:9000", 9000)
    assert not here.is_ours("192.168.1.5:9000", 9000)
    assert not everywhere.is_ours("192.168.1.5:9001", 9000)


def test_a_loopback_address_may_have_the_port_of_a_tunnels_near_end():
    here = Address("127.0.0.1", 9000)
    for name in ("127.0.0.1:40123", "localhost:1", "[::1]:65535", "localhost"):
        assert here.is_ours(name, 9000)
    for name in ("127.0.0.1:0", "localhost:65536", "localhost:\xb2", "127.0.0.1:x", "a.localhost"):
        assert not here.is_ours(name, 9000)


def test_browsers_leave_out_the_default_port_of_the_scheme(certificate):
    plain, secure = Address("127.0.0.1", 80), Address("127.0.0.1", 443, *certificate)
    assert (plain.url(80), secure.url(443)) == ("http://127.0.0.1", "https://127.0.0.1")
    for address, port in ((plain, 80), (secure, 443)):
        for name in ("127.0.0.1", "localhost", "[::1]"):
            assert address.is_ours(name, port)
            assert address.is_ours(f"{name}:{port}", port)
    remote = Address("box", 443, *certificate)
    assert remote.is_ours("box", 443)
    for other in (80, 8765):
        assert not remote.is_ours("box", other)
    for address, port in ((plain, 80), (secure, 443)):
        for name in ("evil.example", "", ":", "[::1", "127.0.0.1:", "127.0.0.1:x"):
            assert not address.is_ours(name, port) or name == "127.0.0.1:"


def test_a_port_of_the_systems_is_told_with_the_remedy(monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Listener, "bind", denied)
    with pytest.raises(UsageError, match=r"--port 443: ports below 1024 .* give a higher one"):
        Address("127.0.0.1", 443).listen()


def test_only_modern_tls_is_spoken(certificate):
    """Forward secrecy and authenticated encryption; nothing older than TLS 1.2."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    make_modern(server)
    assert server.minimum_version >= ssl.TLSVersion.TLSv1_2
    for cipher in server.get_ciphers():
        assert cipher["aead"], cipher["name"]
        assert cipher["protocol"] == "TLSv1.3" or cipher["name"].startswith("ECDHE-")


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_odd_port_is_refused(port):
    with pytest.raises(UsageError, match="--port"):
        address_from(None, port)


def test_a_port_that_is_taken_is_named_and_the_usual_one_given_up():
    with Address("127.0.0.1", 0).listen() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            Address("127.0.0.1", port).listen()
    with Address("127.0.0.1", None).listen() as first, Address("127.0.0.1", None).listen() as other:
        assert first.getsockname()[1] != other.getsockname()[1]


def test_what_can_be_no_host_s_name_is_told():
    with pytest.raises(UsageError, match="no machine's name"):
        Address("home..lan", 1).listen()


def test_small_answers_are_sent_at_once():
    """Accepted connections carry the protocol by which asyncio knows to switch the delay off."""
    listening = Address("127.0.0.1", 0).listen()
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as one:
        assert one.proto == socket.IPPROTO_TCP
