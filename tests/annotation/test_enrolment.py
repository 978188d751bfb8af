"""Enrolling from Python: what is questioned, and what is advised."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.annotation.enrolment import ENOUGH, advice, enroll
from streamer.config import Config
from streamer.errors import UsageError
from streamer.loop.profile_model import ProfileModel
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
