"""A clip where there is no sound output."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.audio.clips import to_flac
from streamer.store.playback import PlaybackFile
from streamer.terminal.play import play

CLIP = to_flac(np.random.default_rng(1).uniform(-0.5, 0.5, 1_600).astype(np.float32))


class PortAudioError(Exception):
    pass


def no_output(*args: object) -> None:
    raise PortAudioError("Error querying device -1")


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(play=no_output, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def test_it_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "playing-x"
    folder.mkdir(mode=0o700)
    for clip in (CLIP, CLIP[:100]):
        told = play(clip, folder, PlaybackFile(tmp_path / "none"))
        (path,) = folder.iterdir()
        assert str(path) in told
        assert path.read_bytes() == clip
    assert [p.stat().st_mode & 0o777 for p in (folder, path)] == [0o700, 0o600]


def test_no_file_is_written_where_no_audio_may_lie_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert play(CLIP, None, PlaybackFile(tmp_path / "none")).startswith("cannot be played")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    told = play(CLIP, tmp_path / "gone" / "playing", PlaybackFile(tmp_path / "none"))
    assert told.startswith("cannot be played")
    assert "No such file" in told
