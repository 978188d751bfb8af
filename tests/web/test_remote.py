"""Pages for other machines: a certificate made here, the command itself, and https to it."""

import re
import signal
import ssl
import subprocess
import sys
from http.client import HTTPResponse, HTTPSConnection

import pytest

SAVE = b'{"utterance":1,"annotator":"me","valence":0.5,"arousal":-0.25}'


@pytest.fixture
def remote(asked, config, certificate):
    """Serves the profile on all addresses; its port and token."""
    cert, key = certificate
    command = [
        sys.executable, "-m", "streamer", "label", "--web", "--host", "0.0.0.0", "--port", "0",
        "--allow-remote", "--tls-cert", str(cert), "--tls-key", str(key),
        "--profile", config.profile,
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    told = process.stderr.readline()
    yield re.search(r"https://0\.0\.0\.0:(\d+)/\?token=(\S+)", told).groups()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_another_machine_labels_by_tls_alone(remote, certificate, asked):
    port, token = remote
    trusting = ssl.create_default_context(cafile=str(certificate[0]))

    def ask(method: str, path: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
        connection = HTTPSConnection("127.0.0.1", int(port), timeout=30, context=trusting)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    assert ask("GET", "/").status == 403
    entered = ask("GET", f"/?token={token}")
    assert entered.status == 303
    cookie = entered.getheader("set-cookie")
    assert "Secure" in cookie
    cookie = cookie.split(";")[0]
    assert b"How does this voice sound?" in ask("GET", "/", cookie=cookie).read()
    assert ask("GET", "/", cookie=cookie, host=f"evil.example:{port}").status == 421
    events = ask("GET", "/events", cookie=cookie)
    assert b"event: hello" in events.readline() + events.readline()
    events.close()
    ours = {"cookie": cookie, "content-type": "application/json"}
    plain = ask("POST", "/api/labels", SAVE, origin=f"http://127.0.0.1:{port}", **ours)
    assert plain.status == 403
    saved = ask("POST", "/api/labels", SAVE, origin=f"https://127.0.0.1:{port}", **ours)
    assert saved.status == 200
    assert asked.labels.effective()[0].label.valence == 0.5
    with pytest.raises(ssl.SSLCertVerificationError):
        HTTPSConnection("127.0.0.1", int(port), timeout=30).request("GET", "/")
