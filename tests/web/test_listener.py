"""Connections without a token: bounded, ended in time, and in nobody's way."""

import errno
import json
import logging
import re
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from streamer.web.api.metrics import scraper_token
from streamer.web.fault_log import FaultLog, attached
from streamer.web.listener import _ENDING, Listener

ATTACKERS = 2_000
# A machine may be busy, and drop what does not fit its queue: TCP then tries again after seconds.
PATIENCE_S = 60
DESCRIPTORS = 160


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listener(clock):
    with Listener(socket.AF_INET, clock) as made:
        made.bind(("127.0.0.1", 0))
        made.listen(64)
        made.most = 4
        yield made


def connected(listener: Listener, host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """A client's end and the server's."""
    client = socket.create_connection(listener.getsockname(), 10, (host, 0))
    return client, listener.accept()[0]


def is_ended(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False


def test_the_oldest_without_a_token_goes(listener):
    pairs = [connected(listener) for _ in range(4)]
    listener.admit(pairs[0][0].getsockname())
    pairs += [connected(listener) for _ in range(2)]
    assert [is_ended(client) for client, _ in pairs] == [False, True, True, False, False, False]


def test_who_opens_many_is_the_one_who_loses_them(listener):
    quiet = connected(listener, "127.0.0.2")
    many = [connected(listener, "127.0.0.3") for _ in range(9)]
    assert not is_ended(quiet[0])
    assert sum(not is_ended(client) for client, _ in many) == 3


def test_no_more_are_accepted_than_are_closed(listener):
    pairs = [connected(listener) for _ in range(4 + _ENDING)]
    waiting = socket.create_connection(listener.getsockname())
    with pytest.raises(BlockingIOError):
        listener.accept()
    pairs[0][1].close()
    assert listener.accept()[1] == waiting.getsockname()


def test_a_connection_without_a_token_ends_after_ten_seconds(listener, clock):
    (idle, _), (ours, _) = connected(listener), connected(listener)
    listener.admit(ours.getsockname())
    clock.now_s = 10.0
    listener.sweep()
    assert not is_ended(idle)
    clock.now_s = 10.1
    listener.sweep()
    assert (is_ended(idle), is_ended(ours)) == (True, False)


def test_without_descriptors_one_is_ended_and_the_event_loop_told_to_come_back(
    listener, monkeypatch
):
    client, _ = connected(listener)

    def exhausted(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", exhausted)
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert is_ended(client)


def test_a_kind_of_fault_is_told_once():
    lines: list[str] = []
    log = FaultLog(lines.append)
    logger = logging.getLogger("streamer.test")
    with attached(log, "streamer.test"):
        for _ in range(100):
            try:
                {}["absent"]
            except KeyError:
                logger.exception("Exception in ASGI application\n")
            log.of_loop(None, {"message": "socket.accept() out of system resource"})
        logger.warning("Invalid HTTP request received.")
    assert len(lines) == 2
    assert "KeyError: 'absent'" in lines[0]
    assert "test_listener.py:" in lines[0]
    assert "\n" not in lines[0]


def test_pages_answer_under_two_thousand_idle_connections(asked, config, streamer_environment):
    """A process with few descriptors: its pages serve, its profile is written, it says nothing."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    own = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < ATTACKERS + 200:
        pytest.skip(f"needs {ATTACKERS + 200} descriptors, the machine allows {hard}")
    command = [
        "prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", sys.executable, "-m", "streamer",
        "label", "--web", "--port", "0", "--profile", config.profile,
    ]  # fmt: skip
    with ExitStack() as stack:
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=streamer_environment
        )
        stack.callback(process.wait, 30)
        stack.callback(process.kill)
        url = process.stderr.readline()
        port = int(re.search(r"127\.0\.0\.1:(\d+)", url)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(own[0], ATTACKERS + 200), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, own)
        token = scraper_token(Path(config.profile))
        for number in range(ATTACKERS):
            idle = socket.socket()
            stack.enter_context(closing(idle))
            idle.setblocking(False)
            idle.connect_ex(("127.0.0.1", port))
            if number % 500 == 499:
                connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
                connection.request("GET", "/health", headers={"authorization": f"Bearer {token}"})
                assert json.load(connection.getresponse())["status"] == "not listening"
                connection.close()
        entered = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        entered.request("GET", f"/?token={url.split('token=')[1].strip()}")
        answer = entered.getresponse()
        assert answer.status == 303
        answer.read()
        cookie = answer.getheader("set-cookie").split(";")[0]
        entered.request("GET", "/api/next", headers={"cookie": cookie})
        assert entered.getresponse().status == 200
        process.terminate()
        assert process.wait(30) in (0, 130)
        assert process.stderr.read() == ""
