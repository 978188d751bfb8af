"""Export: readable elsewhere, whole or not there, and private."""

import errno
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import ProfileError, UsageError
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from streamer.store.tables import TABLES
from tests.profiles.archive.making import SETTINGS, exported, lived_in


def rows_of(folder: Path, table: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text().splitlines()]


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    utterances = rows_of(folder, "utterances")
    assert [row["id"] for row in utterances] == list(range(1, 13))
    vectors = np.fromfile(folder / "utterances.embedding.f32", "<f4").reshape(len(utterances), -1)
    kept = Profile(tmp_path / "lived in")
    assert np.array_equal(vectors[4], kept.utterances.get(5).embedding)
    kept.close()
    labels = rows_of(folder, "labels")
    assert [row["annotator"] for row in labels] == ["me", "me", "you", "me", "me", "me"]
    assert labels[2]["arousal"] == 4.5
    assert (labels[2]["scale_low"], labels[2]["scale_high"]) == (1.0, 5.0)
    audio, rate_hz = soundfile.read(folder / "clips" / "4.flac")
    assert (len(audio), rate_hz) == (8_000, 16_000)
    assert json.loads((folder / "settings.json").read_text()) == SETTINGS
    assert "SHA256SUMS" in (folder / "README.txt").read_text()
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder)
    assert checked.returncode == 0


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_written_over(tmp_path: Path) -> None:
    profile = lived_in(tmp_path / "lived in")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("there", "file"):
        with pytest.raises(UsageError, match="not empty"):
            export_profile(profile, tmp_path / name, SETTINGS)
    (tmp_path / "empty").mkdir()
    export_profile(profile, tmp_path / "empty", SETTINGS)
    profile.close()
    assert (tmp_path / "there" / "thesis.txt").read_text() == "mine"
    assert (tmp_path / "empty" / "manifest.json").is_file()
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("place", ["/proc/xx", "file.csv/x"])
def test_where_no_folder_can_be_no_disk_space_is_asked_for(tmp_path: Path, place: str) -> None:
    profile = lived_in(tmp_path / "lived in")
    (tmp_path / "file.csv").write_text("mine")
    with pytest.raises(ProfileError, match=r"cannot export .*: give another folder; the profile"):
        export_profile(profile, tmp_path / place, SETTINGS)
    profile.close()


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = lived_in(tmp_path / "lived in")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ProfileError, match="free some disk space"):
        export_profile(profile, tmp_path / "out", SETTINGS)
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()
    profile.close()


def test_it_is_of_one_moment_though_another_process_goes_on(tmp_path: Path) -> None:
    profile = lived_in(tmp_path / "lived in")
    other = Profile(tmp_path / "lived in")
    with profile.database.snapshot():
        before = profile.labels.newest()
        other.labels.undo(1, 200.0)
        assert profile.labels.newest() == before
    assert profile.labels.newest() != before
    other.close()
    profile.close()


def test_every_table_is_carried(profile: Profile) -> None:
    """A table that a migration adds must be exported, or said here not to be."""
    rows = profile.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {row["name"] for row in rows if not row["name"].startswith("sqlite_")}
    folded_or_said_in_the_manifest = {"states", "meta"}
    assert tables == {table.name for table in TABLES} | folded_or_said_in_the_manifest
