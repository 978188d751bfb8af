"""A real scheduler and two worker processes: the same rows, also where one is killed."""

import csv

import numpy as np
import pytest
import soundfile

import streamer
from streamer.config import Config
from streamer.errors import StreamerError
from streamer.evaluation.evaluate import evaluate
from streamer.evaluation.plan import Plan
from streamer.evaluation.protocol import Stream
from streamer.evaluation.readers.own_labels import OwnLabels
from streamer.loop.pool.adding import add
from streamer.loop.pool.pool import Pool
from streamer.testing import synthetic_session
from tests.loop.workers.dask_processes import DaskProcesses

pytest.importorskip("distributed", reason="dask[distributed] (extra cluster) is not installed")
from distributed import Client

from streamer.loop.workers.cluster import open_cluster


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


def test_a_pool_has_the_rows_that_one_process_adds(dask, recordings, tmp_path):
    config = Config.load(home=tmp_path)
    found = []
    for place, cluster in (("alone", None), ("cluster", dask.address)):
        added = add(config, tmp_path / place, [recordings], cluster=cluster)
        assert [fault.file for fault in added.faults] == [str(recordings / "05.wav")]
        pool = Pool(tmp_path / place)
        rows = pool.take(range(len(pool)))
        vectors = [(row.pop("embedding"), row.pop("emotion_vector")) for row in rows]
        assert len(rows) >= 11
        found.append((rows, [vector.tobytes() for pair in vectors for vector in pair]))
    assert found[0] == found[1]


def test_an_evaluation_is_the_same_as_in_one_process(dask, tmp_path):
    """Embeddings by the workers, and the runs of strategies and seeds."""
    rows = ["file,speaker,emotion"]
    for k in range(44):
        audio = np.random.default_rng(k).normal(size=1_600) * (0.05 if k % 2 else 0.2)
        soundfile.write(tmp_path / f"{k:02}.wav", audio, 16_000)
        rows.append(f"{k:02},s{k % 3},{('joy', 'anger')[k % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    found = {}
    for name, cluster in (("here", None), ("cluster", dask.address)):
        plan = Plan(
            tmp_path, tmp_path / name, labels=OwnLabels(tmp_path / "labels.csv"), seeds=2,
            strategies=None, scenario=Stream(buffer=4, first=4, length=12), cluster=cluster,
        )  # fmt: skip
        told = []
        settings = Config(home=tmp_path / f"home-{name}", models=tmp_path)
        evaluate(settings, plan, lambda *_: None, told.append)
        assert "44 computed" in told[0]
        cache = next((tmp_path / f"home-{name}" / ".cache" / "embeddings").iterdir())
        with np.load(cache) as arrays, (tmp_path / name / "curves.csv").open() as curves:
            found[name] = arrays["embedding"].tobytes(), list(csv.reader(curves))
    assert found["cluster"] == found["here"]
    assert len(found["here"][1]) > 4


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


def test_no_other_user_of_this_machine_gets_into_a_local_cluster():
    with open_cluster(double, "local", 0) as workers:
        address = workers._client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (address, address.replace("tls", "tcp")):
            with pytest.raises((OSError, TypeError, RuntimeError)):
                Client(stranger, timeout=0.5)
        assert workers._client.run_on_scheduler(int) == 0  # as its owner may


def double():
    return (2).__mul__


def test_where_nobody_answers_it_says_so(monkeypatch):
    monkeypatch.setattr("streamer.loop.workers.cluster.CONNECT_S", 0.5)
    with pytest.raises(StreamerError, match="no Dask scheduler answers at tcp:"):
        list(streamer.table(__file__, cluster="tcp://127.0.0.1:1"))
