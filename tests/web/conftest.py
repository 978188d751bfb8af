"""A profile with questions that nobody has answered, and a browser's way to its pages."""

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.audio.clips import to_flac
from streamer.config import Config
from streamer.store.profile import Profile
from streamer.web.bind import Address
from streamer.web.server import Pages, serving
from tests.support import bound_profile, store_utterance
from tests.web.browser import chromium

QUESTIONS = 30


def tone(number: int) -> bytes:
    at = np.arange(8_000) / 16_000
    return to_flac((0.3 * np.sin(2 * np.pi * (150 + 5 * number) * at)).astype(np.float32))


def fill(folder: Path, questions: int = QUESTIONS, released: int = 5) -> None:
    """Utterances 1 to `questions` are asked about, 1 the most informative; the rest was let go."""
    rng = np.random.default_rng(7)
    profile = bound_profile(folder)
    for _ in range(questions + released):
        embedding = rng.normal(size=6).astype(np.float32)
        store_utterance(profile, embedding, rng.normal(size=4).astype(np.float32))
    asked = [(n, -float(n), tone(n)) for n in range(1, questions + 1)]
    let_go = range(questions + 1, questions + released + 1)
    profile.utterances.select("made", "for a test", asked, list(let_go), 200.0)
    profile.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(profile=str(tmp_path / "asked"), home=tmp_path, annotator="me")


@pytest.fixture
def asked(config: Config) -> Iterator[Profile]:
    """The profile that the pages serve, opened a second time."""
    fill(Path(config.profile))
    opened = Profile(Path(config.profile))
    yield opened
    opened.close()


@dataclass
class Client:
    """Speaks HTTP as a browser on our page would; each header can be said otherwise."""

    port: int
    token: str
    cookie: str = ""

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> HTTPResponse:
        host = f"127.0.0.1:{self.port}"
        said: dict[str, str | None] = {"host": host, "cookie": self.cookie or None}
        if method == "POST":
            said |= {"origin": f"http://{host}", "content-type": "application/json"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(
            method, path, body, {name: value for name, value in said.items() if value is not None}
        )
        return connection.getresponse()

    def enter(self) -> None:
        answer = self.ask("GET", f"/?token={self.token}")
        assert answer.status == 303
        self.cookie = (answer.getheader("set-cookie") or "").split(";")[0]


def client_of(pages: Pages) -> Client:
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(.+)", pages.url)
    assert found
    return Client(int(found[1]), found[2])


@pytest.fixture
def served(config: Config, asked: Profile) -> Iterator[Pages]:
    with serving(config, Address("127.0.0.1", 0)) as pages:
        yield pages


@pytest.fixture
def stranger(served: Pages) -> Client:
    """Knows the address, not the token."""
    return Client(client_of(served).port, "")


@pytest.fixture
def client(served: Pages) -> Client:
    entered = client_of(served)
    entered.enter()
    return entered


def eventually(true: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Waits for what another thread is about to do."""
    until_s = time.monotonic() + within_s
    pause = threading.Event()
    while time.monotonic() < until_s:
        if true():
            return True
        pause.wait(0.02)
    return true()


@pytest.fixture
def certificate(tmp_path):
    """A certificate of its own making, by the openssl command."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test",
        "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1",
        "-keyout", str(key), "-out", str(cert),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl (apt install openssl)")
    return cert, key


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened
