"""A disk that is full, or cannot be written: told of, and nothing acknowledged is lost."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.annotation.labels import give
from streamer.errors import ProfileError
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.faults.conftest import fill_up
from tests.kill_process import check_state
from tests.profiles.archive.making import SETTINGS, everything, exported, lived_in
from tests.support import balance, bound_profile, events_of, label_of, named, store_utterance

Mount = Callable[[str], Path]


def test_full_while_listening(streamer: Streamer, session_file: Path, small_disk: Mount) -> None:
    disk = small_disk("24m")
    folder = disk / "profile"
    streamer("run", "--input", session_file, "--profile", folder, "--max-seconds", 6)
    filler = fill_up(disk, 300_000)
    full = streamer("run", "--json", "--input", session_file, "--profile", folder)
    assert full.returncode == 5
    assert "free some disk space" in full.stderr
    events = events_of(full.stdout)
    assert events[-1]["event"] == "end"
    assert balance(events[-1]) == 0
    told = [event["id"] for event in named(events, "utterance")]
    filler.unlink()
    check_state(folder, told, [])


def test_events_that_cannot_be_written_end_it_with_all_stored(
    streamer_environment: dict[str, str], session_file: Path, tmp_path: Path
) -> None:
    words = ["run", "--json", "--input", session_file, "--profile", tmp_path / "profile"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "streamer", *map(str, words)], stdout=full,
            stderr=subprocess.PIPE, text=True, env=streamer_environment, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("streamer: the events cannot be written")
    profile = Profile(tmp_path / "profile")
    (session,) = profile.database.rows("SELECT ended_at FROM sessions")
    assert session["ended_at"] is not None
    profile.close()


def test_full_while_labelling(small_disk: Mount) -> None:
    disk = small_disk("2m")
    profile = bound_profile(disk / "profile")
    numbers = [store_utterance(profile) for _ in range(40)]
    labels = [label_of(number, valence=0.5, emotion="joy") for number in numbers]
    filler = fill_up(disk, 0)
    stored: list[int] = []

    def go_on() -> None:
        for _ in range(50):
            stored.extend(profile.labels.add(labels, 10.0))

    with pytest.raises(ProfileError, match="free some disk space"):
        go_on()
    assert profile.labels.newest() == len(stored)
    filler.unlink()
    give(profile, labels)
    assert ProfileModel(profile).model.labels == profile.labels.count() == 40
    profile.close()


def test_full_while_exporting(tmp_path: Path, small_disk: Mount) -> None:
    disk = small_disk("1m")
    profile = lived_in(tmp_path / "lived in")
    before = everything(profile)
    filler = fill_up(disk, 20_000)
    with pytest.raises(ProfileError, match="free some disk space"):
        export_profile(profile, disk / "out", SETTINGS)
    assert [path.name for path in disk.iterdir()] == ["filler"]
    filler.unlink()
    export_profile(profile, disk / "out", SETTINGS)
    assert everything(profile) == before
    profile.close()


def test_full_while_importing(tmp_path: Path, small_disk: Mount) -> None:
    disk = small_disk("1m")
    folder = exported(tmp_path)
    profile = Profile(disk / "profile")
    before = everything(profile)
    fill_up(disk, 40_000)
    with pytest.raises(ProfileError, match="free some disk space"):
        import_profile(profile, folder, None)
    assert everything(profile) == before
    profile.close()


def test_a_disk_that_cannot_be_written(streamer: Streamer, small_disk: Mount) -> None:
    disk = small_disk("4m")
    profile = bound_profile(disk / "profile")
    store_utterance(profile)
    profile.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused = streamer("label", 1, "--emotion", "joy", "--profile", disk / "profile")
    assert refused.returncode == 5
    assert "--profile" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
