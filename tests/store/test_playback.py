"""What players tell, and what a listener makes of it, in whichever process each is."""

import json
import multiprocessing
import time
from pathlib import Path

import pytest

from streamer.store.deletion import delete_profile
from streamer.store.playback import LONGEST_S, PlaybackFile, PlaybackWatch
from streamer.store.profile import Profile


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_span_ends_as_expected_or_earlier(tmp_path: Path, clock: Clock) -> None:
    player, watch = PlaybackFile(tmp_path, clock), PlaybackWatch(tmp_path)
    assert watch.spans() == []
    player.begin(3.0)
    assert watch.spans() == [(1_000.0, 1_003.0)]
    clock.now_s = 1_001.0
    player.end()
    assert watch.spans() == [(1_000.0, 1_001.0)]
    player.end()
    clock.now_s = 1_010.0
    player.begin(2.0)
    clock.now_s = 1_020.0
    player.end()
    assert watch.spans() == [(1_000.0, 1_001.0), (1_010.0, 1_012.0)]


def test_players_of_one_process_play_side_by_side(tmp_path: Path, clock: Clock) -> None:
    player, watch = PlaybackFile(tmp_path, clock), PlaybackWatch(tmp_path)
    player.begin(5.0, "a tab")
    clock.now_s += 1.0
    player.begin(5.0, "another")
    clock.now_s += 1.0
    player.end("a tab")
    player.begin(5.0, "another")  # again: what it played is over
    assert watch.spans() == [(1_000.0, 1_002.0), (1_001.0, 1_002.0), (1_002.0, 1_007.0)]
    player.close()
    assert watch.spans()[-1] == (1_002.0, 1_002.0)


def test_what_cannot_be_is_not_believed(tmp_path: Path, clock: Clock) -> None:
    player, watch = PlaybackFile(tmp_path, clock), PlaybackWatch(tmp_path)
    player.begin(1e9)
    assert watch.spans() == [(1_000.0, 1_000.0 + LONGEST_S)]
    (path,) = tmp_path.glob("playback-*")
    assert path.stat().st_mode & 0o777 == 0o600
    told = json.loads(path.read_text())
    for content in (
        "", "{", "[]", json.dumps({**told, "boot": "another"}), '{"boot": 1}',
        json.dumps({**told, "spans": [[1.0, 1e9], [5.0, 1.0], [float("nan"), 1.0]]}),
    ):  # fmt: skip
        path.unlink()
        path.write_text(content)
        assert watch.spans() == []
    path.unlink()
    path.write_bytes(b"\xff\xfe")
    assert watch.spans() == []


def _play(folder: Path) -> None:
    PlaybackFile(folder).begin(4.0)


def test_another_process_tells_by_the_same_clock(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile")
    before_s = time.monotonic()
    process = multiprocessing.get_context("spawn").Process(target=_play, args=(profile.folder,))
    process.start()
    process.join()
    ((start_s, end_s),) = PlaybackWatch(profile.folder).spans()
    assert before_s < start_s < time.monotonic()
    assert end_s - start_s == pytest.approx(4.0)
    profile.delete_left()  # that process is no more
    assert not list(profile.folder.glob("playback-*"))
    PlaybackFile(profile.folder).begin(1.0)
    profile.delete_left()
    assert list(profile.folder.glob("playback-*"))
    profile.close()
    delete_profile(profile.folder)
    assert not profile.folder.exists()


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    PlaybackFile(tmp_path / "none").begin(1.0)
    assert PlaybackWatch(tmp_path / "none").spans() == []
