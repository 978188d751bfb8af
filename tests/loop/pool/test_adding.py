"""Recordings into a pool: each once, in one order, whatever does the work and whenever it ends."""

import shutil

import numpy as np
import pytest
import soundfile

from streamer.config import Config
from streamer.errors import OtherEncoder, UsageError
from streamer.learners.normalization import RunningNormalization
from streamer.loop.pool import adding
from streamer.loop.pool.adding import add
from streamer.loop.pool.pool import Pool
from streamer.loop.pool.reader import PoolReader
from streamer.loop.table.table import table
from streamer.testing import synthetic_session

pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two folders of recordings: one file is silent, one is no audio, one is a copy of another."""
    folder = tmp_path_factory.mktemp("recordings")
    for k, name in enumerate(["ann/1.wav", "ann/2.flac", "bea/1.wav"]):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        audio, _ = synthetic_session(np.random.default_rng(k), 2)
        soundfile.write(path, audio, 16_000)
    shutil.copy(folder / "ann/1.wav", folder / "bea/copy.wav")
    soundfile.write(folder / "bea/silent.wav", np.zeros(16_000, np.float32), 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


@pytest.fixture
def config(tmp_path):
    return Config.load(home=tmp_path / "profiles")


@pytest.fixture(scope="module")
def filled(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pools") / "pool"
    added = add(Config.load(home=folder.parent), folder, [recordings])
    return Pool(folder), added


def all_rows(pool):
    """Every row as plain values."""
    rows = pool.take(range(len(pool)))
    return [{k: v.tolist() if hasattr(v, "tolist") else v for k, v in r.items()} for r in rows]


def test_every_recording_once_with_the_spans_that_a_table_has(filled, recordings):
    pool, added = filled
    with pytest.warns(UserWarning, match="broken"):
        expected = [r for r in table(recordings, embeddings=True) if "copy" not in r["file"]]
    rows = all_rows(pool)
    assert [r["onset_s"] for r in rows] == [r["onset_s"] for r in expected]
    assert [r["offset_s"] for r in rows] == [r["offset_s"] for r in expected]
    assert [r["file"] for r in rows] == [r["file"] for r in expected]
    assert [r["snr_db"] for r in rows] == [r["snr_db"] for r in expected]
    assert (added.rows, added.recordings, added.known) == (len(expected), 4, 1)
    assert [fault.file for fault in added.faults] == [str(recordings / "broken.wav")]
    assert {one["file"]: one["rows"] for one in pool.recordings()}[
        str(recordings / "bea/silent.wav")
    ] == 0


def test_vectors_are_the_encoders_with_each_voice_on_the_populations_scale(filled, recordings):
    import streamer

    pool, _ = filled
    prior = streamer.load_encoder().prior
    raw = list(table(recordings / "ann/1.wav", embeddings=True))
    usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    vectors = np.array([r["embedding"] for r in raw])
    for vector in vectors:
        usual.update(vector)
    expected = prior.embedding_mean + prior.embedding_deviation * usual.apply(vectors)
    found = np.array([r["embedding"] for r in all_rows(pool)[: len(raw)]])
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)
    assert np.abs(found - vectors).max() > 0.01


def test_a_folder_is_one_voice_where_it_is_asked(recordings, config, tmp_path):
    add(config, tmp_path / "pool", [recordings / "ann"], speaker="folder")
    rows = all_rows(Pool(tmp_path / "pool"))
    assert {row["voice"] for row in rows} == {str(recordings / "ann")}
    assert len({row["recording"] for row in rows}) == 2


def test_added_again_nothing_is_read_and_nothing_changes(filled, config, recordings, monkeypatch):
    pool, _ = filled
    before = all_rows(pool)
    read = []
    whole = PoolReader.read
    monkeypatch.setattr(
        PoolReader, "read", lambda self, unit: read.append(str(unit)) or whole(self, unit)
    )
    added = add(config, pool.folder, [recordings])
    assert (added.rows, added.recordings, added.known) == (0, 0, 5)
    assert read == [str(recordings / "broken.wav")]
    assert all_rows(pool) == before


def test_a_moved_recording_is_known_by_its_content(filled, config, recordings, tmp_path):
    shutil.copy(recordings / "ann/2.flac", tmp_path / "other.flac")
    added = add(config, filled[0].folder, [tmp_path / "other.flac"])
    assert (added.rows, added.known) == (0, 1)


def test_stopped_between_any_two_units_it_goes_on_to_the_same_rows(
    filled, config, recordings, tmp_path, monkeypatch
):
    """Each start writes one part and is stopped: what was written stays, and the order is one."""
    expected = all_rows(filled[0])
    monkeypatch.setattr(adding, "PART_ROWS", 1)
    whole, starts = Pool.write_part, []

    def one_part(self, rows, recordings):
        if starts and starts[-1]:
            raise KeyboardInterrupt
        starts[-1:] = [True]
        whole(self, rows, recordings)

    monkeypatch.setattr(Pool, "write_part", one_part)
    for _ in range(9):
        starts.append(False)
        try:
            add(config, tmp_path / "pool", [recordings])
            break
        except KeyboardInterrupt:
            continue
    assert len(starts) == 4
    assert all_rows(Pool(tmp_path / "pool")) == expected


def test_an_error_keeps_what_was_read_before(filled, config, recordings, tmp_path, monkeypatch):
    whole = PoolReader.read

    def failing(self, unit):
        if "bea" in str(unit):
            raise RuntimeError("a fault of the program")
        return whole(self, unit)

    monkeypatch.setattr(PoolReader, "read", failing)
    with pytest.raises(RuntimeError, match="a fault"):
        add(config, tmp_path / "pool", [recordings])
    kept = all_rows(Pool(tmp_path / "pool"))
    assert kept
    assert kept == all_rows(filled[0])[: len(kept)]


def test_parts_are_few_however_long_it_takes(filled, config, recordings, tmp_path):
    """At least a second of work each, by the clock that is passed in; progress reaches the end."""
    clock, told = iter(np.arange(0.0, 1e6, 0.4)), []
    add(
        config, tmp_path / "pool", [recordings], now_s=lambda: float(next(clock)),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    pool = Pool(tmp_path / "pool")
    assert len(pool.counts()) == 2
    assert all_rows(pool) == all_rows(filled[0])
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0


def test_another_encoder_and_another_precision_are_refused(filled, config):
    pool, file = filled[0], [filled[0].folder / "pool.json"]
    other = pool.folder.parent / "other"
    sizes = {"embedding_size": 4, "emotion_size": 3}
    Pool.create(other, encoder="big", sha256="cd" * 32, **sizes, precision="float16")
    with pytest.raises(OtherEncoder, match="use that one, or another --pool"):
        add(config.model_copy(update={"encoder": "streamer-small"}), other, file)
    with pytest.raises(UsageError, match="is of float16"):
        add(config, pool.folder, file, precision="float32")
    with pytest.raises(UsageError, match="choose float16 or float32"):
        add(config, pool.folder, file, precision="int8")
    with pytest.raises(UsageError, match="choose folder or channel"):
        add(config, pool.folder, file, speaker="file")
