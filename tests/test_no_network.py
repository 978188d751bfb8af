"""The loop opens no connection: run where there is no network, and with every call watched."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Streamer
from tests.support import events_of, without_latency

# Runs `streamer` with each of its lists of words, and writes down what asks for a socket or a name.
WATCHED = """
import json, sys
asked = open(sys.argv[1], "w")
def hook(event, args):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")):
        print(event, args[1:], file=asked, flush=True)
sys.addaudithook(hook)
{before}
from streamer.__main__ import main
for words in json.loads(sys.argv[2]):
    sys.argv = ["streamer", *words]
    try:
        main()
    except SystemExit as left:
        if left.code:
            raise
"""
SOCKET = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"


def asked_for(
    tmp_path: Path, environment: dict[str, str], verbs: list[list[str]], before: str = ""
) -> str:
    notes = tmp_path / "asked"
    code = WATCHED.format(before=before)
    done = subprocess.run(
        [sys.executable, "-c", code, notes, json.dumps(verbs)],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return notes.read_text()


def test_no_verb_of_the_loop_asks_for_a_socket(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    verbs = [
        ["run", "--input", str(session_file), "--max-seconds", "6"],
        ["label", "1", "--valence", "0.5", "--arousal", "0.1", "--emotion", "joy"],
        ["verify", str(session_file)],
        ["export", str(tmp_path / "out")],
        ["import", str(tmp_path / "out"), "--profile", "other"],
        ["forget", "--utterance", "1"],
        ["status"],
    ]
    assert asked_for(tmp_path, streamer_environment, verbs) == ""


def test_it_would_be_noticed(streamer_environment: dict[str, str], tmp_path: Path) -> None:
    assert "socket.connect" in asked_for(tmp_path, streamer_environment, [], before=SOCKET)


def test_without_a_network_it_hears_the_same(
    session_file: Path, streamer_environment: dict[str, str], streamer: Streamer
) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], stderr=-3).returncode:
        pytest.skip("needs the right to make a network namespace")
    words = ["run", "--json", "--input", str(session_file), "--max-seconds", "6"]
    done = subprocess.run(
        [*alone, sys.executable, "-m", "streamer", *words, "--profile", "alone"],
        env=streamer_environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    usual = events_of(streamer(*words, "--profile", "usual").stdout)
    heard = events_of(done.stdout)
    assert without_latency(heard)[1:] == without_latency(usual)[1:]


def test_nor_do_the_libraries_below_python(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    words = ["run", "--input", str(session_file), "--max-seconds", "6"]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(trace),
         sys.executable, "-m", "streamer", *words],
        env=streamer_environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if "ptrace" in done.stderr:
        pytest.skip("needs the right to trace a process")
    assert done.returncode == 0, done.stderr
    assert not [line for line in trace.read_text().splitlines() if "AF_INET" in line]
