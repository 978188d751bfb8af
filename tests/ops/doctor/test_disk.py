"""The profile on the disk: private, whole, its encoder here, its clock right."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from streamer.config import Config
from streamer.encoders.registry import find_encoder, load_prior
from streamer.ops.doctor import disk
from streamer.store.profile import FILE_NAME, Profile
from tests.support import bound_profile, store_utterance


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(profile=str(tmp_path / "profile"), home=tmp_path, models=tmp_path / "models")


@pytest.fixture
def folder(config: Config) -> Path:
    """A profile of the shipped encoder that has heard something."""
    row = find_encoder()
    profile = Profile(Path(config.profile))
    profile.bind(row.name, row.sha256, load_prior(row))
    for _ in range(40):
        store_utterance(profile)
    profile.close()
    return Path(config.profile)


def states(config: Config) -> dict[str, str]:
    return {found.check: found.state for found in disk.examine(config)}


def test_a_profile_as_streamer_makes_it_has_nothing_wrong(config, folder):
    assert states(config) == {"disk": "ok", "privacy": "ok", "profile": "ok", "clock": "ok"}


def test_a_profile_that_is_not_there_is_not_made(config):
    assert states(config)["profile"] == "ok"
    assert not Path(config.profile).exists()


def test_a_damaged_page_is_found(config, folder):
    with (folder / FILE_NAME).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for at in range(8192, size, 8192):  # not the first page: that one would not even open
            file.seek(at)
            file.write(os.urandom(512))
    (found,) = [found for found in disk.examine(config) if found.check == "profile"]
    assert (found.state, found.exit_code) == ("fail", 5)
    assert ".recover" in found.remedy


def test_others_who_may_read_are_told_and_how_to_shut_them_out(config, folder):
    (folder / FILE_NAME).chmod(0o644)
    (found,) = [found for found in disk.examine(config) if found.check == "privacy"]
    assert (found.state, found.remedy) == ("warn", f"chmod -R go= {folder}")


def test_a_profile_of_an_encoder_that_is_not_here_cannot_run(config):
    bound_profile(Path(config.profile)).close()
    (found,) = [found for found in disk.examine(config) if found.check == "profile"]
    assert (found.state, found.exit_code) == ("fail", 5)
    assert "reembed" in found.remedy


def test_a_profile_of_an_earlier_version_is_left_as_it_is(config, folder):
    file = folder / "profile.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    before = file.read_bytes()
    (found,) = [found for found in disk.examine(config) if found.check == "profile"]
    assert found.state == "ok"
    assert "earlier version" in found.said
    assert file.read_bytes() == before


def test_a_clock_in_the_past_is_told(config, folder, tmp_path):
    now = time.time()
    nobody = tmp_path / "never"
    assert disk.clock(now, now - 5.0, nobody).state == "ok"
    assert disk.clock(now, now + 7200.0, nobody).state == "warn"
    assert "before this program" in disk.clock(0.0, None, nobody).said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_fails(tmp_path):
    tmp_path.chmod(0o500)
    assert disk.room(tmp_path / "profile").exit_code == 5
