"""Enrolling from Python: what is questioned, and what is advised."""

import re
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from streamer.annotation.enrolment import ENOUGH, advice, enroll, verify_files
from streamer.audio.quality import why_unclear
from streamer.config import Config
from streamer.errors import UsageError
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.terminal.tables import verified_line
from streamer.types import SAMPLE_RATE_HZ
from tests.support import bound_profile, made_voices, store_utterance


@pytest.fixture
def profile(tmp_path):
    """Twelve utterances, each near one prototype of a population that knows two emotions."""
    rng = np.random.default_rng(0)
    axes = np.eye(4)[:2]
    prior = replace(
        made_voices(rng, emotions=2),
        prototypes=axes,
        prototype_names=np.array(["anger", "joy"]),
        emotion_mean=np.zeros(4),
    )
    opened = bound_profile(tmp_path / "p", prior)
    profile_model = ProfileModel(opened)
    for number in range(12):
        vector = axes[number % 2] + 0.05 * rng.normal(size=4)
        embedding = rng.normal(size=6).astype(np.float32)
        store_utterance(opened, embedding, vector.astype(np.float32))
        profile_model.adapt(SimpleNamespace(embedding=embedding, emotion=vector))
    yield opened
    opened.close()


def enrolled(profile, emotion, numbers, sure):
    asked = []

    def confirmed(doubt):
        asked.append(doubt)
        return sure

    count = enroll(Config(), profile, emotion, numbers, [], pytest.fail, confirmed)
    return count, asked


def test_five_clips_that_sound_like_another_emotion_are_questioned_before_they_are_kept(profile):
    with pytest.raises(UsageError, match="5 clips sound more like joy than like anger"):
        enrolled(profile, "anger", [2, 4, 6, 8, 10], sure=False)
    assert profile.emotions.names() == []
    count, asked = enrolled(profile, "anger", [2, 4, 6, 8, 10], sure=True)
    assert (count, len(asked)) == (5, 1)


@pytest.mark.parametrize(
    ("emotion", "numbers"),
    [("joy", [2, 4, 6, 8, 10]), ("anger", [2, 4]), ("glee", [2, 4, 6, 8, 10])],
)
def test_what_agrees_is_too_few_or_cannot_be_compared_is_not(profile, emotion, numbers):
    assert enrolled(profile, emotion, numbers, sure=False) == (len(numbers), [])


def test_it_says_how_many_more_would_help_and_asks_for_neutral_first(profile):
    enrolled(profile, "joy", [2, 4], sure=True)
    assert advice(profile, "joy") == (
        f"{ENOUGH - 2} more would help: about {ENOUGH} are enough; "
        "enroll neutral next: its examples help to recognize all the others"
    )
    enrolled(profile, "neutral", list(range(1, 11)), sure=True)
    assert advice(profile, "neutral") is None


def test_a_poor_example_is_named_and_its_prediction_is_less_certain(tmp_path, spoken_session):
    voice = spoken_session[0][: 5 * SAMPLE_RATE_HZ]
    noise = np.random.default_rng(1).standard_normal(len(voice))
    sounds = {
        "clear": voice,
        "clipped": np.clip(voice * 30, -0.5, 0.5),
        "noisy": voice + 0.06 * noise,
    }
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, SAMPLE_RATE_HZ, subtype="FLOAT")
    config = Config()
    reasons, widths = {}, {}
    with closing(Profile(tmp_path / "p")) as opened:
        for name in sounds:
            said: list[str] = []
            file = str(tmp_path / f"{name}.wav")
            enroll(config, opened, name, [], [file], said.append)
            told = [text for text in said if text.startswith(f"{name}.wav from ")]
            (found, *_) = verify_files(config, opened, [file], lambda text: None)
            reasons[name] = why_unclear(found.quality)
            assert len(told) >= (reasons[name] is not None)
            assert all(f"is a poor example ({reasons[name]})" in text for text in told[:1])
            unclear = f"uncertain: {reasons[name]}"
            assert verified_line(found).endswith(unclear) == (reasons[name] is not None)
            widths[name] = found.prediction.arousal.high - found.prediction.arousal.low
    assert reasons["clear"] is None
    assert reasons["clipped"] == "clipped"
    assert reasons["noisy"] is not None
    assert re.fullmatch(r"only [+-]\d dB above the noise", reasons["noisy"])
    assert widths["clear"] < min(widths["clipped"], widths["noisy"])
