"""A real scheduler and two worker processes: the same rows, also where one is killed."""

import numpy as np
import pytest
import soundfile

import streamer
from streamer.errors import StreamerError
from streamer.testing import synthetic_session
from tests.loop.workers.dask_processes import DaskProcesses

pytest.importorskip("distributed", reason="dask[distributed] (extra cluster) is not installed")


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    processes = DaskProcesses(tmp_path_factory.mktemp("dask"), 2)
    yield processes
    processes.close()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for k in range(12):
        audio, _ = synthetic_session(np.random.default_rng(k), 1)
        soundfile.write(folder / f"{k:02}.wav", audio, 16_000)
    (folder / "05.wav").write_bytes(b"RIFF")
    return folder


@pytest.mark.filterwarnings("ignore:not read")
def test_a_worker_killed_in_the_middle_loses_nothing(dask, recordings, tmp_path):
    alone = streamer.table(recordings, embeddings=True)
    expected = list(alone)
    rows = streamer.table(recordings, embeddings=True, cluster=dask.address)
    found = [next(rows)]
    dask.workers[0].kill()
    found += rows
    assert dask.workers[0].wait(30) != 0
    assert dask.workers[1].poll() is None
    assert found == expected
    assert rows.faults == alone.faults
    assert len(rows.faults) == 1


def test_where_nobody_answers_it_says_so(monkeypatch):
    monkeypatch.setattr("streamer.loop.workers.cluster.CONNECT_S", 0.5)
    with pytest.raises(StreamerError, match="no Dask scheduler answers at tcp:"):
        list(streamer.table(__file__, cluster="tcp://127.0.0.1:1"))
