"""Forgetting needs no room: files are deleted before anything is written."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from streamer.annotation.labels import give
from streamer.audio.clips import to_flac
from streamer.errors import DiskFull, ProfileBusy
from streamer.profiles.forget import forget_utterances
from streamer.store.deletion import delete_profile
from streamer.store.profile import FORGOTTEN, LEARN_ANEW, Profile
from tests.faults.conftest import fill_up
from tests.support import bound_profile, label_of, store_utterance

CLIP = to_flac(np.random.default_rng(3).uniform(-0.5, 0.5, 80_000).astype(np.float32))


def lived_in(folder: Path) -> Profile:
    profile = bound_profile(folder)
    numbers = [store_utterance(profile) for _ in range(8)]
    profile.utterances.select("random", "", [(n, 0.5, CLIP) for n in numbers], [], 60.0)
    give(profile, [label_of(1, valence=0.5)])
    return profile


def test_the_whole_profile_goes_from_a_disk_without_a_byte(
    small_disk: Callable[[str], Path],
) -> None:
    disk = small_disk("3m")
    lived_in(disk / "p").close()
    left = disk / "p" / "scratch-1-x"  # of a killed process
    left.mkdir()
    (left / "plain.tar").write_bytes(CLIP)
    fill_up(disk, 0)
    assert os.statvfs(disk).f_bavail == 0
    delete_profile(disk / "p")
    assert not (disk / "p").exists()


def test_nor_is_anything_deleted_there_while_somebody_has_it_open(
    small_disk: Callable[[str], Path],
) -> None:
    disk = small_disk("3m")
    profile = lived_in(disk / "p")
    fill_up(disk, 0)
    with pytest.raises(ProfileBusy):
        delete_profile(disk / "p")
    assert profile.labels.count() == 1
    profile.close()


def test_an_utterance_goes_where_there_is_room_for_little(
    small_disk: Callable[[str], Path],
) -> None:
    """What a killed export left gives the room; the rest is learned by whoever opens it next."""
    disk = small_disk("4m")
    profile = lived_in(disk / "p")
    left = disk / "p" / "scratch-1-x"
    left.mkdir()
    (left / "plain.tar").write_bytes(bytes(1_000_000))
    filler = fill_up(disk, 0)
    forget_utterances(profile, [3])
    assert not left.exists()
    assert 3 not in profile.utterances.numbers()
    assert CLIP[200:260] in b"".join(p.read_bytes() for p in (disk / "p").iterdir())  # others' own
    filler.unlink()
    profile.close()


def test_what_was_forgotten_stays_so_where_the_rest_cannot_be_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = lived_in(tmp_path / "p")

    def full(_: Profile) -> None:
        raise DiskFull("database or disk is full")

    monkeypatch.setattr("streamer.profiles.forget.learn_anew", full)
    with pytest.raises(DiskFull, match="deleted; the rest could not be learned anew"):
        forget_utterances(profile, [3])
    assert 3 not in profile.utterances.numbers()
    assert profile.meta(LEARN_ANEW) == FORGOTTEN
    assert profile.load_state("learner") is None
    profile.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(400)])
def test_a_damaged_profile_can_be_deleted(tmp_path: Path, content: bytes) -> None:
    lived_in(tmp_path / "p").close()
    (tmp_path / "p" / "profile.db").write_bytes(content)
    delete_profile(tmp_path / "p")
    assert not (tmp_path / "p").exists()
