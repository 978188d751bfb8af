"""`streamer table` as a user meets it; killed at any moment, it loses nothing."""

import csv
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from streamer.testing import synthetic_session


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for k in range(6):
        audio, _ = synthetic_session(np.random.default_rng(k), 1)
        soundfile.write(folder / f"{k}.wav", audio, 16_000)
    return folder


def test_a_table_of_a_folder_with_an_unreadable_file(streamer, recordings, session_file, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    done = streamer("table", session_file, broken, "--out", "t.csv", "--jobs", 1)
    assert done.returncode == 3
    assert "not read: " in done.stderr
    assert "broken.wav" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "streamer: 1 of 2 recordings was not read to its end; the table holds the rest"
    )
    with (tmp_path / "t.csv").open() as file:
        rows = list(csv.DictReader(file))
    run = streamer("run", "--input", session_file, "--json", "--no-web")
    events = [json.loads(line) for line in run.stdout.splitlines()]
    heard = [event for event in events if event["event"] == "utterance"]
    assert [float(row["valence"]) for row in rows] == [e["valence"]["mean"] for e in heard]
    assert [float(row["onset_s"]) for row in rows] == [e["onset_s"] for e in heard]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--out", "no/t.csv"], 2, "there is no folder no"),
        (["--out", "t.csv", "--cluster", "here"], 2, "give local, or an address"),
    ],
)
def test_what_cannot_be_meant_is_one_line(streamer, recordings, words, code, says):
    done = streamer("table", recordings, *words, "--jobs", 1)
    assert done.returncode == code
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("kills", "jobs"),
    [(3, 1), pytest.param(30, 2, marks=pytest.mark.long)],
)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_twice(
    streamer, streamer_environment, recordings, tmp_path, kills, jobs
):
    """By kill -9, after so many bytes of finished rows, also before the first of them."""
    whole = streamer("table", recordings, "--out", "whole.jsonl", "--jobs", 1)
    assert whole.returncode == 0, whole.stderr
    rng = np.random.default_rng(11)
    command = [sys.executable, "-m", "streamer", "table", str(recordings), "--out", "t.jsonl"]
    journal, table = tmp_path / "t.jsonl.part", tmp_path / "t.jsonl"
    killed = 0
    while killed < kills:
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs)], env=streamer_environment, cwd=tmp_path,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        had = journal.stat().st_size if journal.exists() else 0
        wanted = had + rng.uniform(0, 4000)
        until_s = time.monotonic() + rng.uniform(0.5, 20.0)
        while process.poll() is None and time.monotonic() < until_s:
            if journal.exists() and journal.stat().st_size >= wanted:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(30) == -signal.SIGKILL
        if table.exists():  # it was complete by then: begin again
            assert table.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
            table.unlink()
    done = streamer("table", recordings, "--out", "t.jsonl", "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert table.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not journal.exists()
