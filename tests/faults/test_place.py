"""A profile that is moved, deleted, read-only or somebody else's: told as that, also in use."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ProfileError
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.faults.conftest import fill_up
from tests.support import bound_profile, events_of, label_of, store_utterance

Mount = Callable[[str], Path]
WITHIN_S = 10.0
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="needs root and setpriv, to have files of one user and be another",
)


@contextmanager
def listening(
    profile: Path, environment: dict[str, str], prefix: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A run that hears silence from a pipe for as long as it is left alone."""
    words = ["run", "--json", "--no-web", "--input", "-", "--profile", str(profile)]
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "streamer", *words], env=environment, text=False,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(np.zeros(16_000, np.int16).tobytes())
        process.stdin.flush()
        assert b'"start"' in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


def ended_within(process: subprocess.Popen[str]) -> tuple[int, str, list[dict[str, object]]]:
    """Feeds it in real time until it ends; fails if that takes longer than it may."""
    silence = np.zeros(1_600, np.int16).tobytes()
    begun_s = time.monotonic()
    while process.poll() is None and time.monotonic() - begun_s < WITHIN_S + 5.0:
        try:
            process.stdin.write(silence)
            process.stdin.flush()
        except BrokenPipeError:
            break
        time.sleep(0.1)
    took_s = time.monotonic() - begun_s
    process.stdin.close()
    out, err = process.stdout.read(), process.stderr.read()
    code = process.wait(timeout=20)
    assert took_s < WITHIN_S + 2.0  # it may take a moment to end
    return code, err.decode(), events_of(out.decode())


def test_a_folder_that_is_deleted_or_moved_while_it_is_listened_into(
    streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    for number, move in enumerate((shutil.rmtree, lambda path: path.rename(f"{path}.elsewhere"))):
        folder = tmp_path / f"profile{number}"
        with listening(folder, streamer_environment) as process:
            move(folder)
            code, error, events = ended_within(process)
        assert code == 5, error
        assert f"{folder / 'profile.db'} is gone: the profile was moved, deleted" in error
        assert error.count("\n") == 1
        assert events[-1]["event"] == "end"
        assert not folder.exists()


def test_a_disk_that_turns_read_only_while_it_is_listened_into(
    streamer_environment: dict[str, str], small_disk: Mount
) -> None:
    disk = small_disk("8m")
    with listening(disk / "profile", streamer_environment) as process:
        # A disk in use cannot be made read-only by hand, as a failing one is by the system: so it
        # is mounted over itself.
        subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
            code, error, _ = ended_within(process)
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)
    assert code == 5, error
    assert "can only be read: mount it for writing" in error


def test_a_disk_that_fills_up_while_nobody_speaks(
    streamer_environment: dict[str, str], small_disk: Mount
) -> None:
    disk = small_disk("8m")
    with listening(disk / "profile", streamer_environment) as process:
        with suppress(OSError):  # what listens takes some room meanwhile
            fill_up(disk, 0)
        code, error, events = ended_within(process)
    assert code == 5, error
    assert "is full: free some disk space" in error
    assert events[-1]["event"] == "end"


@needs_root
def test_a_folder_that_becomes_somebody_elses(
    streamer: Streamer, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    folder = tmp_path / "profile"
    rights = "+dac_read_search"  # to read where this program lies, and no more
    other = (
        "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", f"--inh-caps={rights}",
        f"--ambient-caps={rights}",
    )  # fmt: skip
    with listening(folder, streamer_environment, other) as process:
        for path in (folder, *folder.iterdir()):
            os.chown(path, 0, 0)
        code, error, _ = ended_within(process)
    assert code == 5, error
    assert f"{folder} belongs to root, and this user may not write it: sudo chown -R" in error
    again = subprocess.run(
        [*other, sys.executable, "-m", "streamer", "label", "1", "--emotion", "joy", "--profile",
         str(folder)], env=streamer_environment, capture_output=True, text=True,
    )  # fmt: skip
    assert again.returncode == 5
    assert "sudo chown -R $USER" in again.stderr
    assert again.stderr.count("\n") == 1


def test_an_answer_into_a_profile_that_was_deleted_is_refused_not_lost(tmp_path: Path) -> None:
    profile = bound_profile(tmp_path / "profile")
    number = store_utterance(profile)
    shutil.rmtree(tmp_path / "profile")
    with pytest.raises(ProfileError, match="moved, deleted or replaced"):
        profile.labels.add([label_of(number, emotion="joy")], 1.0)
    bound_profile(tmp_path / "profile").close()  # another one in its place
    with pytest.raises(ProfileError, match="no longer the file that was opened"):
        profile.labels.add([label_of(number, emotion="joy")], 1.0)
    with pytest.raises(ProfileError, match="no longer the file"):
        profile.database.check_place()


def test_a_profile_that_is_a_file_is_told_as_that(streamer: Streamer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    refused = streamer("status", "--profile", tmp_path / "taken")
    assert refused.returncode == 5
    assert "taken" in refused.stderr


def test_nothing_is_wrong_with_a_profile_in_use(tmp_path: Path) -> None:
    profile = bound_profile(tmp_path / "profile")
    profile.database.check_place()
    profile.close()
    Profile(tmp_path / "profile").database.check_place()
