"""`streamer forget`: of one utterance, a day, an emotion, all."""

import json
import shutil
from pathlib import Path

import numpy as np

from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.profiles.conftest import learned
from tests.support import events_of


def test_a_forgotten_utterance_leaves_no_trace(
    heard: Path, streamer: Streamer, session_file: Path
) -> None:
    profile = Profile(heard)
    gone = profile.utterances.get(5)
    clip = profile.audio.clip(4)
    profile.close()
    assert clip is not None
    for number in (5, 4):
        assert streamer("forget", "--utterance", number).returncode == 0
    raw = b"".join(path.read_bytes() for path in heard.iterdir() if path.is_file())
    assert gone.embedding.astype("<f4").tobytes() not in raw
    assert clip[200:400] not in raw
    status = json.loads(streamer("status", "--json").stdout)
    assert status["labels"] == {"given": 2, "learned": 2}
    assert sum(status["utterances"].values()) == 10
    assert streamer("forget", "--utterance", 5).returncode == 5
    assert events_of(streamer("emotions", "--json").stdout)[0]["count"] == 2
    streamer("run", "--again", "--input", session_file)
    profile = Profile(heard)
    assert min(set(profile.utterances.numbers()) - set(range(1, 13))) == 13
    profile.close()


def test_what_was_learned_from_it_goes_too(
    heard: Path, streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    """Forgetting the one labelled 5 equals never having labelled it, normalization aside."""
    shutil.copytree(heard, tmp_path / "profiles" / "twin")
    streamer("forget", "--utterance", 5)
    streamer("forget", "--utterance", 5, "--profile", "twin")
    mine, twin = learned(heard), learned(tmp_path / "profiles" / "twin")
    assert all(np.array_equal(mine[name], twin[name]) for name in mine)
    assert mine["arousal/count"] == 2
    assert mine["count"] == 11


def test_everything_before_a_day_an_emotion_or_all(heard: Path, streamer: Streamer) -> None:
    assert "0 utterances" in streamer("forget", "--before", "2020-01-01").stderr
    assert streamer("forget", "--before", "soon").returncode == 2
    assert streamer("forget", "--emotion", "anger").returncode == 5
    assert streamer("forget", "--emotion", "joy").returncode == 0
    assert streamer("emotions", "--json").stdout == ""
    assert "12 utterances" in streamer("forget", "--before", "2999-01-01").stderr
    assert streamer("forget").returncode == 2
    assert streamer("forget", "--all").returncode == 0
    assert not heard.exists()


def test_what_is_forgotten_does_not_live_on_in_the_copy(heard: Path, streamer: Streamer) -> None:
    profile = Profile(heard)
    vector = profile.utterances.get(3).embedding.astype("<f4").tobytes()
    others = profile.utterances.get(4).embedding.astype("<f4").tobytes()
    profile.close()
    streamer("reembed", "--encoder", "acoustic")
    (copy,) = heard.glob("profile-*.db")
    assert vector in copy.read_bytes()
    assert streamer("forget", "--utterance", 3).returncode == 0
    assert vector not in copy.read_bytes()
    assert others in copy.read_bytes()
    assert list(heard.glob("profile-*.db*")) == [copy]


def test_only_the_profile_s_own_files_are_deleted(heard: Path, streamer: Streamer) -> None:
    (heard / "thesis.txt").write_text("mine")
    assert streamer("forget", "--all").returncode == 0
    assert [path.name for path in heard.iterdir()] == ["thesis.txt"]
