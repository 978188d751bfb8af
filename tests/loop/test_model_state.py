"""A model made from a state says the same, to the last bit, as the one it was taken from."""

from copy import deepcopy

import numpy as np
import pytest

from streamer.loop.model_state import ModelState
from streamer.loop.profile_model import ProfileModel, choose_learner
from streamer.types import Encoding
from tests.support import bound_profile, label_of, made_voices, store_utterance


def utterances(rng, count):
    return [
        Encoding(rng.normal(size=6).astype(np.float32), rng.normal(size=4).astype(np.float32))
        for _ in range(count)
    ]


@pytest.fixture(params=["bayesian", "river:linear_model.PARegressor"])
def profile_model(tmp_path, request):
    rng = np.random.default_rng(1)
    with_all = bound_profile(tmp_path / "profile", made_voices(rng))
    choose_learner(with_all, request.param)
    model = ProfileModel(with_all)
    for k, one in enumerate(utterances(rng, 12)):
        number = store_utterance(with_all, one.embedding, one.emotion)
        model.adapt(one)
        answer = label_of(
            number, valence=(-1) ** k * 0.5, arousal=k / 12, emotion="joy" if k % 3 else None
        )
        with_all.labels.add([answer], 1.0)
    model.catch_up()
    yield model
    with_all.close()


def said(model, heard):
    values = []
    for one in heard:
        model.adapt(one)
        features = model.features(one.embedding)[np.newaxis]
        confidence = model.knowledge.confidence("valence", features)
        values.append((model.predict(one), model.verdict(one), confidence.tobytes()))
    return values


def test_it_predicts_what_the_profile_predicts_as_often_as_it_is_asked(profile_model):
    state = deepcopy(ModelState.of(profile_model))
    heard = utterances(np.random.default_rng(2), 5)
    copied = state.model()
    first = said(copied, heard)
    assert first == said(profile_model.model, heard)
    assert copied.labels == 12
    state.reset_adaptation(copied)
    assert said(copied, heard) == first


def test_its_hash_follows_all_that_was_learned(profile_model):
    before = ModelState.of(profile_model)
    assert before.sha256() == ModelState.of(profile_model).sha256()
    profile_model.adapt(utterances(np.random.default_rng(3), 1)[0])
    heard = ModelState.of(profile_model)
    assert heard.sha256() != before.sha256()
    profile_model.profile.labels.add([label_of(1, valence=-1.0, arousal=0.5)], 2.0)
    profile_model.catch_up()
    assert ModelState.of(profile_model).sha256() != heard.sha256()


def test_a_voice_never_heard_is_the_encoders_prior():
    prior = made_voices(np.random.default_rng(4))
    model = ModelState.untaught(prior).model()
    assert model.labels == 0
    assert set(model.prototypes) == {"anger", "fear", "joy", "neutral", "sadness"}
