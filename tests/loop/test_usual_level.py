"""A profile that knows a voice hears it as before when its microphone was set differently."""

import shutil

import pytest
import soundfile

from streamer.events import Heard, Noticed
from streamer.loop.loop import Loop
from streamer.store.profile import Profile
from streamer.types import SAMPLE_RATE_HZ


def test_a_fiftieth_of_the_level_changes_no_guess(
    tmp_path, monkeypatch, spoken_session, session_file
):
    monkeypatch.setattr("streamer.store.utterances.USUAL_LEAST", 10)
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, spoken_session[0] / 50.0, SAMPLE_RATE_HZ, subtype="FLOAT")
    known = tmp_path / "known"
    list(Loop(session_file, known, encoder="acoustic"))
    kinds, arousal = [], []
    for path in (session_file, quiet):
        again = tmp_path / f"{path.stem} again"
        shutil.copytree(known, again)
        events = list(Loop(path, again, encoder="acoustic", again=True))
        kinds.append([e.kind for e in events if isinstance(e, Noticed)])
        arousal.append([e.prediction.arousal.mean for e in events if isinstance(e, Heard)])
    assert "low_level" not in kinds[0]
    assert kinds[1].count("low_level") == 1
    # Except the first two: that it is the microphone is sure with the third.
    assert arousal[1][2:] == pytest.approx(arousal[0][2:], abs=0.05)


def test_few_utterances_say_nothing_of_the_usual_level(tmp_path, session_file):
    list(Loop(session_file, tmp_path / "p", encoder="acoustic"))
    profile = Profile(tmp_path / "p")
    assert profile.utterances.count() < 20
    assert profile.utterances.usual_dbfs() is None
    profile.close()
