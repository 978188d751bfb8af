"""One connection: transactions that stand or fall whole, and damage told in our words."""

import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from streamer.errors import ProfileDamaged, ProfileError
from streamer.loop.profile_model import ProfileModel
from streamer.store import database as database_module
from streamer.store.database import Database, pack, unpack
from streamer.store.profile import FILE_NAME, Profile
from streamer.types import Encoding
from tests.support import bound_profile, label_of, store_utterance


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "a.db")
    yield opened
    opened.close()


def put(database, key):
    database.write("INSERT INTO meta (key, value) VALUES (?, 'x')", key)


def put_together(database, outer, inner, then=None):
    with database.transaction():
        put(database, outer)
        with database.transaction():
            put(database, inner)
        if then:
            raise then


def keys(database):
    return [row["key"] for row in database.rows("SELECT key FROM meta ORDER BY key")]


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> bytes:
    """The bytes of a closed profile's file with some of everything in it."""
    profile = bound_profile(tmp_path_factory.mktemp("filled") / "p")
    numbers = [store_utterance(profile) for _ in range(8)]
    profile.utterances.select(
        "random", "at random", [(n, 0.5, bytes(9_000)) for n in numbers[:4]], numbers[4:], 1.0
    )
    for number in numbers[:3]:
        profile.labels.add([label_of(number, valence=0.5, emotion="joy")], 2.0)
    profile.emotions.enroll("anger", np.ones(4, np.float32), "a.wav", None, 3.0)
    profile_model = ProfileModel(profile)
    profile_model.adapt(Encoding(np.ones(6, np.float32), np.ones(4, np.float32)))
    profile_model.catch_up()
    profile_model.save()
    profile.close()
    return (profile.folder / FILE_NAME).read_bytes()


def put_file(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(content)
    return folder


def read_everything(folder: Path) -> None:
    profile = Profile(folder)
    try:
        for number in profile.utterances.numbers():
            profile.utterances.get(number)
            profile.audio.clip(number)
        profile.labels.log()
        profile.labels.effective()
        profile.queries.open()
        profile.emotions.enrolled()
        profile.utterances.counts()
        if not profile.is_empty():
            ProfileModel(profile).catch_up()
    finally:
        profile.close()


def test_a_transaction_stands_whole_or_not_at_all(database):
    put_together(database, "a", "b")
    with pytest.raises(KeyError):
        put_together(database, "c", "d", then=KeyError)
    assert keys(database) == ["a", "b"]
    with database.transaction():
        put(database, "e")
    assert keys(database) == ["a", "b", "e"]


def test_an_error_inside_an_inner_one_takes_the_outer_along(database):
    with pytest.raises(sqlite3.IntegrityError):
        put_together(database, "a", "a")
    assert keys(database) == []


def test_another_connection_sees_a_transaction_only_when_it_is_done(database):
    other = Database(database.path)
    with database.transaction():
        put(database, "a")
        assert keys(other) == []
    assert keys(other) == ["a"]
    other.close()


def test_closing_leaves_one_file_and_may_be_repeated(tmp_path):
    database = Database(tmp_path / "a.db")
    put(database, "a")
    database.close()
    database.close()
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == ["a.db"]


def test_a_writer_that_does_not_let_go_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.05)
    holding, waiting = Database(tmp_path / "a.db"), Database(tmp_path / "a.db")
    with holding.transaction():
        put(holding, "a")
        with pytest.raises(ProfileError, match="locked: another process is writing"):
            put(waiting, "b")
        with pytest.raises(ProfileError, match="locked"), waiting.transaction():
            put(waiting, "b")
    put(waiting, "c")
    assert keys(waiting) == ["a", "c"]
    holding.close()
    waiting.close()


def test_a_full_disk_is_told_of_and_loses_nothing(database):
    put(database, "a")
    pages = database.row("PRAGMA page_count")[0]
    database.row(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProfileError, match="free some disk space"):
        database.write("INSERT INTO meta (key, value) VALUES ('b', ?)", "x" * 1_000_000)
    with pytest.raises(ProfileError, match="free some disk space"):
        put_together(database, "c", "x" * 1_000_000)
    assert keys(database) == ["a"]


def test_a_folder_in_the_files_place_is_told_of(tmp_path):
    (tmp_path / "a.db").mkdir()
    with pytest.raises(ProfileError, match="unable to open"):
        Database(tmp_path / "a.db")


@pytest.mark.parametrize("content", [b"not a database at all\n" * 50, b"\0" * 5_000, b"xy"])
def test_a_file_that_is_no_database_is_damage(tmp_path, content):
    folder = put_file(tmp_path / "p", content)
    with pytest.raises(ProfileDamaged, match="recover"):
        read_everything(folder)
    assert (folder / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize("kept", [2, 50, 99, 100, 511, 4_096, 4_097, 0.25, 0.5, 0.9])
def test_a_truncated_file_is_damage(tmp_path, filled, kept):
    size = kept if isinstance(kept, int) else int(kept * len(filled))
    with pytest.raises(ProfileDamaged):
        read_everything(put_file(tmp_path / "p", filled[:size]))


@pytest.mark.parametrize("at", range(16))
def test_a_changed_signature_is_damage(tmp_path, filled, at):
    content = bytearray(filled)
    content[at] ^= 0xFF
    with pytest.raises(ProfileDamaged):
        read_everything(put_file(tmp_path / "p", bytes(content)))


def test_any_changed_byte_is_harmless_or_told_of_as_a_profile_error(tmp_path, filled):
    rng = random.Random(1)
    places = [*range(16, 100), *(rng.randrange(100, len(filled)) for _ in range(100))]
    told = []
    for at in places:
        content = bytearray(filled)
        content[at] ^= 1 << rng.randrange(8)
        try:
            read_everything(put_file(tmp_path / f"{len(told)}-{at}", bytes(content)))
        except ProfileError as error:
            told.append(str(error))
    assert told
    assert all("\n" not in message for message in told)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b/c", "valence/weights"]),
        arrays(np.float64, array_shapes(max_dims=3, min_side=0), elements=st.floats(width=64)),
        max_size=3,
    )
)
def test_arrays_are_packed_bit_for_bit(given_arrays):
    found = unpack(pack(given_arrays))
    assert list(found) == list(given_arrays)
    for name, array in given_arrays.items():
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_an_object_is_not_packed_as_a_pickle():
    with pytest.raises(ValueError, match="allow_pickle"):
        pack({"a": np.array([object()])})
