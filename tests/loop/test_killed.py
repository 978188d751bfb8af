"""Killed, stopped, and started twice: nothing that was acknowledged is lost."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.kill_process import check_state, hear_label_and_kill
from tests.support import balance, events_of, named


def test_killed_at_any_moment_it_loses_nothing(tmp_path: Path, session_file: Path) -> None:
    rng = np.random.default_rng(7)
    folder = tmp_path / "profile"
    utterances: list[int] = []
    labels: list[int] = []
    for _ in range(6):
        told, given = hear_label_and_kill(folder, session_file, rng)
        assert all(number > max(utterances, default=0) for number in told)
        utterances += told
        labels += given
        check_state(folder, utterances, labels)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_finishes_its_sentence(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path, how: signal.Signals
) -> None:
    command = [sys.executable, "-m", "streamer", "run", "--json", "--realtime"]
    process = subprocess.Popen(
        [*command, "--input", session_file],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=streamer_environment,
    )  # fmt: skip
    assert process.stdout is not None
    first = ""
    while '"event":"utterance"' not in first.replace(" ", ""):
        first += process.stdout.readline()
    process.send_signal(how)
    rest, errors = process.communicate(timeout=20)
    events = events_of(first + rest)
    assert process.returncode == 0
    assert errors == ""
    assert balance(events[-1]) == 0
    heard = len(named(events, "utterance"))
    assert heard >= 1
    assert sum(len(s["asked"] + s["released"]) for s in named(events, "selection")) == heard


def test_one_profile_is_heard_by_one_process(
    session_file: Path, streamer: Streamer, streamer_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "streamer", "run", "--json", "--realtime", "--buffer", "1"]
    first = subprocess.Popen(
        [*command, "--input", session_file],
        stdout=subprocess.PIPE, text=True, env=streamer_environment,
    )  # fmt: skip
    assert first.stdout is not None
    try:
        while '"selection"' not in first.stdout.readline():
            pass
        second = streamer("run", "--input", session_file)
        assert second.returncode == 5
        assert "default" in second.stderr
        assert f"process {first.pid}, streamer run" in second.stderr
        # A label from a second process is learned by the first, within a second.
        given = streamer("label", 1, "--valence", 0.5, "--arousal", -0.5)
        assert "the listening session learns it" in given.stderr
        stored_s = time.monotonic()
        while '"learned"' not in (line := first.stdout.readline()):
            pass
        assert time.monotonic() - stored_s < 1.0
        assert events_of(line) == [
            {"event": "learned", "utterance": 1, "annotator": "me", "labels": 1}
        ]
        status = json.loads(streamer("status", "--json").stdout)
        assert status["labels"] == {"given": 1, "learned": 1}
        assert f"process {first.pid}, streamer run" in status["listening"]
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(20)
        first.stdout.close()
    assert streamer("run", "--input", session_file).returncode == 0


def test_a_profile_of_another_encoder_is_refused(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    from streamer.learners.prior import Prior

    profile = Profile(tmp_path / "profiles" / "default")
    profile.bind("another", "0" * 64, Prior.uninformed(8, 4))
    profile.close()
    refused = streamer("run", "--input", session_file)
    assert refused.returncode == 5
    assert "'another' (000000000000)" in refused.stderr
    assert "streamer reembed" in refused.stderr
