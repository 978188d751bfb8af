"""The verb start, and what `run` opens on a desktop."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from streamer.cli.running import for_the_first_time, is_new
from streamer.config import Config
from tests.support import bound_profile, store_utterance
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone


def test_without_a_terminal_the_browser_is_named(streamer) -> None:
    done = streamer("start", "--no-web")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--web" in done.stderr


def test_a_profile_is_new_until_something_was_heard(tmp_path: Path) -> None:
    config = Config(profile=str(tmp_path / "p"), home=tmp_path)
    assert is_new(config)
    assert not (tmp_path / "p").exists()
    profile = bound_profile(tmp_path / "p")
    assert is_new(config)
    store_utterance(profile)
    profile.close()
    assert not is_new(config)


@pytest.mark.parametrize(
    ("settings", "first"), [({}, 3), ({"first_buffer": 5}, 5), ({"buffer": 2}, 2)]
)
def test_the_first_buffer_is_small_unless_somebody_chose_it(
    settings: dict[str, int], first: int, tmp_path: Path
) -> None:
    assert for_the_first_time(Config(home=tmp_path, **settings)).first_buffer == first


@needs_virtual_microphone
@pytest.mark.long
def test_run_opens_the_first_steps_once_on_a_desktop(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    """The browser is a program that writes down what it is called with."""
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o700)
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "run", "--port", "0", "--profile", str(tmp_path / "p")],
        stdin=end, stdout=end, stderr=subprocess.PIPE, text=True,
        env={**virtual_microphone.environment(), "DISPLAY": ":7", "BROWSER": str(browser)},
    )  # fmt: skip
    os.close(end)
    drawn: list[bytes] = []

    def draw() -> None:
        try:
            while part := os.read(terminal, 65_536):
                drawn.append(part)
        except OSError:  # the terminal's other end is closed
            pass

    reader = threading.Thread(target=draw)
    reader.start()
    try:
        until_s = time.monotonic() + 30
        while not (opened.exists() and opened.read_text()) and time.monotonic() < until_s:
            time.sleep(0.05)
        address = opened.read_text()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/start\?token=[\w-]{43}", address)
        jar = urllib.request.HTTPCookieProcessor()
        page = urllib.request.build_opener(jar).open(address, timeout=10).read().decode()
        assert "Check the microphone" in page
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address, timeout=10)
        until_s = time.monotonic() + 30
        while b"/start?token=" not in b"".join(drawn) and time.monotonic() < until_s:
            time.sleep(0.05)
        shown = b"".join(drawn).decode()
        assert address.split("=")[1] not in shown
        assert "/start?token=" in shown  # at the end of the panel
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        reader.join(10)
        os.close(terminal)
    assert process.returncode == 0, told
    assert "Nothing waits for an answer" in told
