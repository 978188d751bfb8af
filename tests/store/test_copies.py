"""Copies outside the database: found by whoever forgets, left alone by whoever only opens."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.profiles.archive.writing import export_profile
from streamer.store.copies import Copies, Scratch
from streamer.store.profile import Profile
from tests.profiles.archive.making import SETTINGS, lived_in

# A program: an export that is still writing, as seen from outside.
EXPORTER = """
import sys
from pathlib import Path
from streamer.store.copies import Scratch

scratch = Scratch(Path(sys.argv[1]))
(scratch.path / "plain.tar").write_bytes(b"what was felt")
part = scratch.part_of(Path(sys.argv[2]))
part.mkdir()
(part / "labels.jsonl").write_bytes(b"what was felt")
print(scratch.path, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    Profile(tmp_path / "p").close()
    words = [sys.executable, "-c", EXPORTER, tmp_path / "p", tmp_path / "exported"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(str(tmp_path / "p" / "scratch-"))
        yield process
        process.kill()


def felt(place: Path) -> list[str]:
    """The files below a place that hold what was felt."""
    files = (path for path in place.rglob("*") if path.is_file())
    return [path.name for path in files if b"what was felt" in path.read_bytes()]


def test_a_living_process_keeps_its_folder_and_a_killed_one_leaves_nothing(
    tmp_path: Path, exporter: subprocess.Popen[str]
) -> None:
    Profile(tmp_path / "p").close()
    assert sorted(felt(tmp_path)) == ["labels.jsonl", "plain.tar"]
    exporter.kill()
    exporter.wait()
    Profile(tmp_path / "p").close()
    assert not felt(tmp_path)
    assert not list((tmp_path / "p").glob("scratch-*"))
    assert not list(tmp_path.glob(".exported*"))


def test_who_forgets_does_not_wait_for_a_copy_to_be_finished(
    tmp_path: Path, exporter: subprocess.Popen[str]
) -> None:
    Copies(tmp_path / "p").delete_scratch()
    assert not felt(tmp_path)


def test_a_number_of_a_living_process_keeps_nothing(tmp_path: Path) -> None:
    """In a container everybody is process 1; earlier versions put that into the name."""
    profile = tmp_path / "p"
    Profile(profile).close()
    for left in (profile / "scratch-1-x", profile / "playing"):
        left.mkdir()
        (left / "clip-1.flac").write_bytes(b"what was felt")
    Profile(profile).close()
    assert not felt(tmp_path)


@pytest.mark.parametrize("named", ["thesis", ".thesis.part", ".thesis.scratch-other.part", ".."])
def test_a_note_that_names_another_folder_deletes_nothing(tmp_path: Path, named: str) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / ".thesis.part").mkdir()
    (tmp_path / ".thesis.scratch-other.part").mkdir()
    with Scratch(tmp_path) as scratch:
        (scratch.path / "elsewhere").write_bytes(bytes(tmp_path / named))
    assert len(list(tmp_path.iterdir())) == 3


def test_an_export_leaves_the_exported_folder_alone(tmp_path: Path) -> None:
    mine = lived_in(tmp_path / "mine")
    export_profile(mine, tmp_path / "exported", SETTINGS)
    mine.delete_copies()
    mine.close()
    assert (tmp_path / "exported" / "SHA256SUMS").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exported", "mine"]
