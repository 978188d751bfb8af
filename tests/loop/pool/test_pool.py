"""The files of a pool: whole parts or none, one order, blocks that do not depend on the parts."""

import json

import numpy as np
import pytest

from streamer.errors import NotFound, OtherEncoder, ProfileBusy, ProfileDamaged, UsageError

pa = pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")

from streamer.loop.pool import schema  # noqa: E402
from streamer.loop.pool.pool import Pool  # noqa: E402

SIZES = {"embedding_size": 4, "emotion_size": 3}


def made(folder, precision="float16"):
    return Pool.create(folder, encoder="small", sha256="ab" * 32, **SIZES, precision=precision)


def rows_of(first, count):
    """Utterances whose embeddings count up."""
    names = [f"r{k}" for k in range(first, first + count)]
    return {
        "recording": names, "file": [f"/talks/{name}.wav" for name in names],
        "onset_s": np.arange(count) + 0.25, "offset_s": np.arange(count) + 1.5,
        "channel": [None] * count, "voice": names, "level_dbfs": [-20.0] * count,
        "gain_db": [0.0] * count, "snr_db": [30.0] * count, "clipped": [False] * count,
        "trust": [1.0 if k % 3 else 0.4 for k in range(first, first + count)],
        "embedding": np.arange(first, first + count)[:, None] + np.zeros(4),
        "emotion_vector": np.ones((count, 3)) / np.sqrt(3.0),
    }  # fmt: skip


def recordings_of(first, count):
    about = {"size_bytes": 10, "mtime_ns": 7, "rows": 1, "speech_s": 1.25, "problem": None}
    return [
        {"recording": f"r{k}", "file": f"/talks/r{k}.wav", **about}
        for k in range(first, first + count)
    ]


def write(pool, *counts):
    first = len(pool)
    with pool.writing():
        for count in counts:
            pool.write_part(rows_of(first, count), recordings_of(first, count))
            first += count


@pytest.fixture
def pool(tmp_path):
    pool = made(tmp_path / "pool")
    write(pool, 5, 1, 10, 3)
    return pool


@pytest.mark.parametrize("size", [1, 4, 5, 6, 19, 100])
def test_blocks_follow_the_rows_and_not_the_parts(pool, size):
    found = list(pool.blocks(size))
    assert [block.first for block in found] == list(range(0, 19, size))
    assert {len(block) for block in found[:-1]} <= {size}
    together = np.concatenate([block.embeddings for block in found])
    assert together.dtype == np.float16
    np.testing.assert_array_equal(together[:, 0], np.arange(19))
    trust = np.concatenate([block.trust for block in found])
    np.testing.assert_array_equal(trust >= 0.6, np.arange(19) % 3 > 0)
    clear = np.concatenate(list(pool.clear_numbers(size, 0.6)))
    np.testing.assert_array_equal(clear, np.flatnonzero(np.arange(19) % 3 > 0))


def test_rows_are_taken_by_number_in_the_order_asked(pool):
    found = pool.take([16, 2, 5])
    assert [row["file"] for row in found] == ["/talks/r16.wav", "/talks/r2.wav", "/talks/r5.wav"]
    assert found[1]["onset_s"] == 2.25
    assert found[0]["channel"] is None
    np.testing.assert_array_equal(found[0]["embedding"], np.full(4, 16, np.float32))
    assert found[0]["emotion_vector"].dtype == np.float32


def test_single_precision_is_kept_to_the_last_bit(tmp_path):
    pool = made(tmp_path / "pool", "float32")
    rows = rows_of(0, 2)
    rows["embedding"] = np.float32([[1 / 3] * 4, [1e-7] * 4])
    with pool.writing():
        pool.write_part(rows, recordings_of(0, 2))
    np.testing.assert_array_equal(next(pool.blocks(9)).embeddings, rows["embedding"])


def test_what_a_killed_process_left_does_not_count_and_is_cleared(pool):
    write_recordings = pool.folder / "recordings"
    (write_recordings / "part-000004.parquet").write_bytes(
        (write_recordings / "part-000003.parquet").read_bytes()
    )
    (pool.folder / "rows" / ".part-000004.parquet.new").write_bytes(b"PAR1 and half a file")
    assert len(pool) == 19
    assert len(list(pool.recordings())) == 19
    write(pool, 2)
    assert [one["recording"] for one in pool.recordings()][-2:] == ["r19", "r20"]
    assert not list(pool.folder.rglob("*.new"))


def test_a_part_that_fails_leaves_nothing(pool, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streamer.loop.pool.pool._sync", full)
    with pytest.raises(Exception, match="No space left on device: make room"):
        write(pool, 2)
    monkeypatch.undo()
    assert len(pool) == 19
    write(pool, 2)
    assert len(pool) == 21


def test_the_files_explain_themselves(pool):
    import pyarrow.parquet as pq

    table = pq.read_table(pool.folder / "rows")
    assert table.num_rows == 19
    assert pa.types.is_float16(table.schema.field("embedding").type.value_type)
    field = table.schema.field("onset_s")
    assert field.metadata[b"unit"] == b"s"
    about = json.loads(table.schema.metadata[b"streamer_pool"])
    assert (about["encoder"], about["encoder_sha256"]) == ("small", "ab" * 32)


def test_one_process_adds_and_others_read(pool):
    with pool.writing():
        with pytest.raises(ProfileBusy, match="another process is adding"), pool.writing():
            pass
        assert len(Pool(pool.folder)) == 19


def test_another_encoder_is_refused(pool):
    pool.check_encoder("small", "ab" * 32)
    with pytest.raises(OtherEncoder, match=r"with encoder 'small' \(abababababab\), not 'big'"):
        pool.check_encoder("big", "cd" * 32)


def test_a_pool_that_is_there_stays(pool):
    again = made(pool.folder, "float32")
    assert again.about == pool.about


def test_no_pool_and_a_damaged_one(tmp_path, pool):
    with pytest.raises(NotFound, match="there is no pool in"):
        Pool(tmp_path / "other")
    (pool.folder / "rows" / "part-000001.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(ProfileDamaged, match=r"part-000001.parquet cannot be read"):
        len(pool)
    (pool.folder / "pool.json").write_text("{")
    with pytest.raises(ProfileDamaged, match=r"pool.json cannot be read"):
        Pool(pool.folder)


def test_without_pyarrow_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'streamer\[cluster\]'"):
        schema.arrow()
