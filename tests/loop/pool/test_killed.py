"""`kill -9` of `pool add` at random moments: nothing is lost, nothing is there twice."""

import os
import signal
import time

import numpy as np
import pytest
import soundfile

from streamer.config import Config
from streamer.loop.pool import adding
from streamer.loop.pool.pool import Pool, is_pool
from streamer.testing import synthetic_session

pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")

LONGEST_S = 60.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for k in range(10):
        audio, _ = synthetic_session(np.random.default_rng(k), 1)
        soundfile.write(folder / f"{k}.wav", audio, 16_000)
    return folder


def start(folder, recordings):
    """Adding in a process of its own: its number."""
    process = os.fork()
    if process:
        return process
    try:  # a part of every recording, so that there is much to be interrupted
        adding.LEAST_S = adding.PART_SHARE = 0.0
        adding.add(Config.load(home=folder.parent), folder, [recordings])
        os._exit(0)
    finally:
        os._exit(1)


def ended(process):
    """Its exit status, None while it runs."""
    found, status = os.waitpid(process, os.WNOHANG)
    return status if found else None


def contents(folder):
    pool = Pool(folder)
    rows = [(row["recording"], row["onset_s"], row["embedding"].tobytes())
            for row in pool.take(range(len(pool)))]  # fmt: skip
    return rows, [one["recording"] for one in pool.recordings()]


@pytest.mark.parametrize("moments", [3, pytest.param(30, marks=pytest.mark.long)], ids=["3", "30"])
def test_killed_at_random_moments_nothing_is_lost_and_nothing_twice(recordings, tmp_path, moments):
    whole = start(tmp_path / "whole", recordings)
    begun_s = time.monotonic()
    while (status := ended(whole)) is None:
        assert time.monotonic() - begun_s < LONGEST_S
        time.sleep(0.005)
    assert status == 0
    took_s = time.monotonic() - begun_s
    expected = contents(tmp_path / "whole")
    rng, killed, pools = np.random.default_rng(moments), 0, 0
    folder, kept = tmp_path / "pool-0", 0
    while killed < moments:
        process = start(folder, recordings)
        until_s = time.monotonic() + rng.uniform(0.1, 0.9) * took_s
        while (status := ended(process)) is None:
            if time.monotonic() >= until_s:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                killed += 1
                break
            time.sleep(0.001)
        assert status in (None, 0)
        if status == 0:  # complete, after however many kills: the next ones fall on a new pool
            assert contents(folder) == expected
            pools, kept = pools + 1, 0
            folder = tmp_path / f"pool-{pools}"
        elif is_pool(folder):
            rows = contents(folder)[0]
            assert rows[:kept] == expected[0][:kept], "what was written is gone"
            assert rows == expected[0][: len(rows)]
            kept = len(rows)
    adding.add(Config.load(home=tmp_path), folder, [recordings])
    assert contents(folder) == expected
