"""A model without a store, and that the store's is the same."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import UsageError
from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import ProfileModel
from streamer.types import Encoding
from tests.loop.profile_histories import ANSWERS, heard
from tests.support import bound_profile, label_of, made_prior, same_arrays, store_utterance

PRIOR = made_prior(np.random.default_rng(5))

HEAR = st.tuples(st.just("hear"), st.integers(1, 9))
LABEL = st.tuples(st.just("label"), st.integers(1, 9), st.sampled_from(["me", "anna"]), ANSWERS)
ENROLL = st.tuples(st.just("enroll"), st.integers(1, 9))


@pytest.fixture
def model():
    made = OnlineModel(PRIOR)
    for step in range(1, 6):
        made.adapt(heard(step))
    return made


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.one_of(HEAR, LABEL, ENROLL), min_size=1, max_size=25))
def test_it_is_to_the_last_bit_what_a_profile_has_learned(tmp_path_factory, steps):
    profile = bound_profile(tmp_path_factory.mktemp("p") / "p", PRIOR)
    stored, model = ProfileModel(profile), OnlineModel(PRIOR)
    for step in range(1, 10):
        store_utterance(profile, heard(step).embedding, heard(step).emotion)
        stored.adapt(heard(step))
        model.adapt(heard(step))
    for name, number, *answer in steps:
        encoding = heard(number)
        if name == "hear":
            stored.adapt(encoding)
            model.adapt(encoding)
        elif name == "enroll":
            profile.emotions.enroll("fear", encoding.emotion, "made.wav", number, 0.0)
            stored.model.relearn(list(stored.lessons()))
            model.enroll("fear", [encoding])
        else:
            annotator, values = answer
            profile.labels.add([label_of(number, annotator, **values)], 0.0)
            stored.catch_up()
            model.learn(encoding, annotator=annotator, **values)
    assert model.labels == stored.model.labels
    assert same_arrays(model.learner_to_arrays(), stored.model.learner_to_arrays())
    assert same_arrays(model.adaptation_to_arrays(), stored.model.adaptation_to_arrays())
    assert model.predict(heard(0)) == stored.model.predict(heard(0))
    one, other = model.verdict(heard(0)), stored.model.verdict(heard(0))
    assert one.emotion == other.emotion
    assert dict(one.distances) == pytest.approx(dict(other.distances))
    profile.close()


def test_minus_zero_is_learned_as_zero(model):
    other = deepcopy(model)
    model.learn(heard(1), valence=-0.0, arousal=0.0)
    other.learn(heard(1), valence=0.0, arousal=-0.0)
    assert same_arrays(model.learner_to_arrays(), other.learner_to_arrays())


def test_a_label_moves_the_prediction_towards_itself_at_once(model):
    before = model.predict(heard(2))
    model.learn(heard(2), valence=1.0, arousal=-1.0)
    after = model.predict(heard(2))
    assert before.valence.mean < after.valence.mean
    assert before.arousal.mean > after.arousal.mean
    assert after.dominance == before.dominance


def test_an_annotators_later_label_replaces_the_earlier_one(model):
    fresh = OnlineModel(PRIOR)
    for step in range(1, 6):
        fresh.adapt(heard(step))
    fresh.learn(heard(1), valence=-0.5)
    model.learn(heard(1), valence=0.9, emotion="joy")
    model.learn(heard(1), valence=-0.5)
    assert model.labels == 1
    assert same_arrays(model.learner_to_arrays(), fresh.learner_to_arrays())
    assert dict(model.verdict(heard(1)).distances) == {}
    model.learn(heard(1), valence=0.7, annotator="anna")
    assert model.labels == 2
    labelled = model.knowledge.labelled()
    assert labelled.answers[:, 0].tolist() == [-0.5, 0.7]


def test_enrolled_or_labelled_an_emotion_is_compared_with(model):
    model.enroll(" Joy ", [heard(1), heard(1), heard(2)])
    assert model.prototypes["joy"].count == 2
    model.learn(heard(1), emotion="joy")
    model.learn(heard(3), emotion="anger")
    assert model.prototypes["joy"].count == 2
    verdict = model.verdict(heard(3))
    assert verdict.emotion == "anger"
    assert list(verdict.distances) == ["anger", "joy"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"valence": 1.5}, r"valence 1.5 .* outside \[-1, 1\]"),
        ({"arousal": float("nan")}, "arousal nan"),
        ({}, "is empty: give valence and arousal, or an emotion"),
        ({"emotion": "  "}, "emotion '  ': give a name"),
        ({"valence": 0.0, "annotator": ""}, "annotator ''"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused_and_changes_nothing(model, given, message):
    before = model.learner_to_arrays()
    with pytest.raises(UsageError, match=message):
        model.learn(heard(1), **given)
    assert same_arrays(model.learner_to_arrays(), before)
    assert len(model.knowledge.labelled().answers) == 0


def test_a_profiles_model_is_taught_through_its_rows_only(tmp_path):
    profile = bound_profile(tmp_path / "p")
    model = ProfileModel(profile).model
    with pytest.raises(UsageError, match="add the label to the profile instead"):
        model.learn(Encoding(np.ones(6, np.float32), np.ones(4, np.float32)), valence=0.5)
    profile.close()


def test_what_people_call_by_two_names_counts_for_each_by_its_share(model):
    for who, name in (("ann", "joy"), ("ben", "joy"), ("eve", "anger")):
        model.learn(heard(1), emotion=name, annotator=who)
    model.learn(heard(2), emotion="anger")
    model.enroll("anger", [heard(3)])
    shares = {name: values.tolist() for name, values in model._taught.shares().items()}
    assert shares["joy"] == [pytest.approx(2 / 3)]
    assert sorted(shares["anger"]) == [pytest.approx(1 / 3), 1.0, 1.0]


def test_of_two_people_the_one_who_contradicts_all_others_moves_the_guess_less(model):
    other = OnlineModel(model.prior)
    for one, sign in ((model, 1.0), (other, -1.0)):
        for step in range(24):
            for number, person, way in ((step, "ann", 1.0), (step + 100, "ben", sign)):
                features = one.features(heard(number).embedding)[None]
                truth = float(one.prior.expect(features)[0][0, 0])
                said = float(np.clip(way * truth, -1, 1))
                one.learn(heard(number), valence=said, annotator=person)
    assert model.raters.raters()["ben"].weight > other.raters.raters()["ben"].weight
