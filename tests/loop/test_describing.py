"""What is measured beside the loop."""

import threading

import numpy as np
import pytest

from streamer.encoders.acoustic.encoder import AcousticEncoder
from streamer.events import Heard
from streamer.learners.explanation import NAMES
from streamer.loop.describing import Describer
from streamer.loop.loop import Loop
from streamer.store.profile import Profile
from streamer.testing import synthetic_speech
from streamer.types import Quality
from tests.support import bound_profile, store_utterance


def test_every_utterance_of_a_recording_is_measured_and_told(session_file, tmp_path):
    told = []
    with Loop(session_file, tmp_path / "p", explain=True, max_seconds=20) as loop:
        loop.describer.told = told.append
        heard = [event for event in loop if isinstance(event, Heard)]
    assert told == [event.id for event in heard]
    profile = Profile(tmp_path / "p")
    for event in heard:
        kept = profile.acoustics.of(event.id)
        assert kept["level_dbfs"] == event.quality.level_dbfs
        assert np.isfinite([value for value in kept.values() if value is not None]).all()
    assert profile.acoustics.usual()["pitch_mean_st"].count == len(heard)
    assert loop.describer.words(heard[-1].id).endswith("usual")
    profile.close()


def test_nothing_is_measured_unless_it_is_asked_for(session_file, tmp_path):
    with Loop(session_file, tmp_path / "p", encoder="acoustic", max_seconds=8) as loop:
        assert list(loop)
        assert loop.describer is None
    profile = Profile(tmp_path / "p")
    assert profile.acoustics.all() == {}
    profile.close()


def test_the_measures_are_those_of_the_acoustic_encoder(tmp_path):
    profile = bound_profile(tmp_path / "p")
    number, audio = store_utterance(profile), synthetic_speech(np.random.default_rng(0), "angry")
    measured = threading.Event()
    describer = Describer(tmp_path / "p", waits=True)
    describer.told = lambda utterance: measured.set()
    describer.put(number, audio, Quality(-31.0, 20.0, False))
    describer.put(number + 1, audio, Quality(-31.0, 20.0, False))  # forgotten meanwhile
    assert measured.wait(60)
    describer.close()
    expected = {**AcousticEncoder().functionals(audio), "level_dbfs": -31.0}
    kept = profile.acoustics.of(number)
    assert kept == pytest.approx({name: expected[name] for name in NAMES})
    assert profile.acoustics.of(number + 1) is None
    profile.close()


def test_where_it_cannot_work_nobody_waits_for_it(tmp_path):
    (tmp_path / "p").write_text("a file where the profile should be")
    describer = Describer(tmp_path / "p", waits=True)
    for number in range(100):
        describer.put(number, np.zeros(16_000, np.float32), Quality(-31.0, 20.0, False))
    assert describer.words(1) == ""
    describer.close()
