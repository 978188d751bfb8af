"""A profile's folder: its name, its encoder, the one process that may learn, what is kept."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import (
    OtherEncoder,
    ProfileBusy,
    ProfileDamaged,
    ProfileError,
    UsageError,
)
from streamer.store import profile as profile_module
from streamer.store.deletion import delete_profile
from streamer.store.profile import FILE_NAME, Profile, profile_folder
from tests.support import HOLDER, bound_profile, made_prior, same_arrays, store_utterance


@pytest.fixture
def holder(tmp_path):
    """Another process that has taken over the profile tmp_path / "p"."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "p")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "True\n"
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("name", ["default", "Anna", "my profile", "a.b-c_d", "ärger", "x" * 64])
def test_a_name_is_a_folder_at_home(name):
    assert profile_folder(name, Path("/home/p")) == Path("/home/p") / name


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-v", "a\nb", "a\0b", "x" * 65, " a"])
def test_a_name_that_cannot_be_a_folders_is_refused(name):
    with pytest.raises(UsageError, match="profile name"):
        profile_folder(name, Path("/home/p"))


def test_a_path_is_made_absolute(monkeypatch):
    assert profile_folder("./here", Path("/home/p")) == Path.cwd() / "here"
    assert profile_folder("/a/b", Path("/home/p")) == Path("/a/b")
    monkeypatch.setenv("HOME", "/somewhere")
    assert profile_folder("~/p", Path("/home/p")) == Path("/somewhere/p")


def test_only_its_owner_may_read_it(tmp_path):
    profile = Profile(tmp_path / "deep" / "p")
    profile.take_over("test")
    store_utterance(profile)
    assert stat.S_IMODE(profile.folder.stat().st_mode) == 0o700
    for path in profile.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    profile.close()


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "p"):
        with pytest.raises(ProfileError, match="choose another with --profile"):
            Profile(folder)


def test_a_lock_that_cannot_be_taken_is_told_of(tmp_path):
    profile = Profile(tmp_path / "p")
    (profile.folder / "learner.lock").mkdir()
    with pytest.raises(ProfileError, match="cannot lock"):
        profile.take_over("test")
    profile.close()


def test_it_belongs_to_its_encoder(tmp_path):
    prior = made_prior(np.random.default_rng(1))
    profile = Profile(tmp_path / "p")
    assert profile.is_empty()
    with pytest.raises(ProfileError, match="is empty"):
        profile.prior()
    profile.bind("small", "a" * 64, prior)
    profile.bind("renamed", "a" * 64, made_prior(np.random.default_rng(2)))
    profile.close()
    again = Profile(tmp_path / "p")
    assert not again.is_empty()
    assert same_arrays(again.prior().to_arrays(), prior.to_arrays())
    with pytest.raises(OtherEncoder, match=r"reembed.*--profile") as caught:
        again.bind("large", "b" * 64, prior)
    assert "'small'" in str(caught.value)
    assert "'large'" in str(caught.value)
    again.close()


def test_states_come_back_bit_for_bit_with_their_place_in_the_log(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"a/b": rng.normal(size=(3, 4)), "c": np.array([np.pi, -0.0, 5e-324])}
    profile = Profile(tmp_path / "p")
    assert profile.load_state("learner") is None
    profile.save_state("learner", {"old": np.zeros(2)}, 3)
    profile.save_state("learner", arrays, 17)
    profile.close()
    again = Profile(tmp_path / "p")
    found, through = again.load_state("learner")
    assert same_arrays(found, arrays)
    assert through == 17
    again.forget_states()
    assert again.load_state("learner") is None
    again.close()


def test_a_state_that_is_no_longer_whole_is_damage(tmp_path):
    profile = bound_profile(tmp_path / "p")
    blob = profile.database.row("SELECT arrays FROM states WHERE name = 'prior'")[0]
    for broken in (b"", blob[: len(blob) // 2], blob.replace(b"weights", b"weighty", 1)):
        profile.database.write("UPDATE states SET arrays = ? WHERE name = 'prior'", broken)
        with pytest.raises(ProfileDamaged, match="cannot be read back"):
            profile.prior()
    profile.close()


def test_the_second_process_is_refused_by_name(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(profile_module, "PATIENCE_S", 0.1)
    profile = Profile(tmp_path / "p")
    assert not profile.take_over("streamer label")
    with pytest.raises(ProfileBusy, match=f"process {holder.pid}, streamer run, since"):
        profile.take_over_or_fail("streamer run")
    assert f"process {holder.pid}" in profile.holder()
    # Reading and answering go on beside it.
    store_utterance(profile)
    assert profile.utterances.numbers() == [1]
    holder.communicate("go\n")
    assert profile.holder() is None
    assert profile.take_over("streamer run")
    assert f"process {os.getpid()}" in profile.holder()
    profile.close()


def test_who_cannot_say_that_it_has_it_does_not_keep_it(tmp_path):
    some, other = Profile(tmp_path / "p"), Profile(tmp_path / "p")
    some.database.close()
    with pytest.raises(ProfileError):
        some.take_over("one")
    assert other.take_over("two")
    other.close()


def test_a_killed_process_lets_go(tmp_path, holder):
    profile = Profile(tmp_path / "p")
    assert not profile.take_over("test")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert profile.take_over("test")
    profile.close()


def test_what_was_taken_over_can_be_let_go(tmp_path):
    some, other = Profile(tmp_path / "p"), Profile(tmp_path / "p")
    assert some.take_over("one")
    assert not other.take_over("two")
    some.let_go()
    some.let_go()
    assert other.take_over("two")
    assert not some.take_over("one")
    other.close()
    assert some.take_over("one")
    some.close()


def test_a_session_keeps_its_accounting(tmp_path):
    profile = Profile(tmp_path / "p")
    number = profile.sessions.begin("file", "a.wav", 1.0)
    profile.sessions.end(number, {"captured_samples": 5, "dropped_samples": {"gap": 1}}, 9.0)
    row = profile.database.row("SELECT * FROM sessions WHERE id = ?", number)
    assert (row["kind"], row["source"], row["started_at"], row["ended_at"]) == (
        "file", "a.wav", 1.0, 9.0,
    )  # fmt: skip
    assert '"dropped_samples": {"gap": 1}' in row["accounting"]
    profile.close()


def test_a_recording_is_found_while_it_is_where_it_was(tmp_path):
    (tmp_path / "made.wav").write_bytes(b"")
    profile = Profile(tmp_path / "p")
    profile.sessions.begin("file", str(tmp_path), 0.0)
    number = store_utterance(profile)
    assert profile.recording_of(number) == tmp_path / "made.wav"
    (tmp_path / "made.wav").unlink()
    assert profile.recording_of(number) is None
    assert profile.recording_of(99) is None
    profile.close()


def test_a_copy_holds_everything_and_is_as_private(tmp_path):
    profile = bound_profile(tmp_path / "p")
    store_utterance(profile)
    copy = profile.copy_database()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    (tmp_path / "q").mkdir()
    copy.rename(tmp_path / "q" / FILE_NAME)
    copied = Profile(tmp_path / "q")
    assert copied.utterances.numbers() == [1]
    assert copied.meta("encoder") == "made"
    copied.close()
    profile.close()


def test_a_deleted_profile_is_gone(tmp_path):
    profile = bound_profile(tmp_path / "p")
    profile.take_over("test")
    profile.close()
    delete_profile(profile.folder)
    assert not (tmp_path / "p").exists()
