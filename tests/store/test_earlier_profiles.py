"""Profiles that earlier versions wrote, by layout: see `tests/data/profiles/README.md`."""

import lzma
from pathlib import Path

import pytest

from streamer.config import Config
from streamer.encoders.registry import find_encoder
from streamer.encoders.vector_map import find_map
from streamer.errors import OtherEncoder
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.reembed import reembed
from streamer.profiles.status import emotion_rows, status_row
from streamer.store import schema
from streamer.store.profile import Profile

PROFILES = Path(__file__).parent.parent / "data" / "profiles"
KEPT = sorted(PROFILES.glob("schema_*.db.xz"))
NEWER = "streamer-wav2vec2"


def unpacked(path: Path, folder: Path) -> Profile:
    folder.mkdir()
    (folder / "profile.db").write_bytes(lzma.decompress(path.read_bytes()))
    return Profile(folder)


def test_there_is_one_of_the_first_layout_and_of_the_latest_before_this() -> None:
    names = [path.name.partition(".")[0] for path in KEPT]
    assert {"schema_1", "schema_6", "schema_9"} <= set(names)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name.partition(".")[0])
def test_it_opens_with_its_utterances_and_label_and_learns_on(path: Path, tmp_path: Path) -> None:
    profile = unpacked(path, tmp_path / "p")
    (version,) = profile.database.rows("PRAGMA user_version")[0]
    assert version == len(schema.MIGRATIONS)
    assert profile.utterances.count() == 6
    assert profile.utterances.mapped() == 0
    row = status_row(profile)
    assert row["labels"] == {"given": 1, "learned": 1}
    assert row["open_queries"] >= 1
    assert [one["emotion"] for one in emotion_rows(profile)] == ["joy"]
    assert row["drift"] == []
    stored = profile.utterances.get(profile.utterances.numbers()[0])
    model = ProfileModel(profile)
    model.catch_up()
    assert -1.0 <= model.model.predict(stored).valence.mean <= 1.0
    with pytest.raises(OtherEncoder, match="streamer reembed --encoder new"):
        profile.bind("new", "0" * 64, profile.prior())
    profile.close()


def test_one_of_the_former_default_encoder_is_carried_to_the_new_one(tmp_path: Path) -> None:
    """With the shipped map: its audio is not kept, and its recording is not on this machine."""
    row = find_encoder(NEWER)
    profile = unpacked(PROFILES / "schema_6.db.xz", tmp_path / "p")
    profile.database.write("DELETE FROM recordings")
    profile.database.write("UPDATE queries SET clip = NULL")
    profile.database.write("UPDATE sessions SET kind = 'microphone'")
    former = profile.meta("encoder_sha256") or ""
    found = find_map(former, (256, 128), row)
    assert found is not None
    done = reembed(Config(encoder=NEWER), profile, lambda *_: None)
    assert (done.carried, done.mapped, done.lost) == (6, 6, 0)
    assert profile.utterances.mapped() == 6
    assert status_row(profile)["labels"] == {"given": 1, "learned": 1}
    profile.close()
