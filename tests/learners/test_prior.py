"""The prior: its arrays, and what a learner makes of it before the first label."""

import numpy as np
import pytest

from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import UNINFORMED_NOISE, Prior
from streamer.types import DIMENSIONS
from tests.support import made_prior, same_arrays


def test_its_arrays_make_it_again():
    prior = made_prior(np.random.default_rng(0))
    assert same_arrays(Prior(**prior.to_arrays()).to_arrays(), prior.to_arrays())


def test_uninformed_predicts_the_middle_widely():
    prior = Prior.uninformed(32, 8)
    assert prior.emotion_mean.shape == (8,)
    prediction = AffectLearner(prior).predict(np.random.default_rng(1).normal(size=32))
    for name in DIMENSIONS:
        estimate = getattr(prediction, name)
        assert estimate.mean == 0.0
        assert estimate.low <= -UNINFORMED_NOISE
        assert estimate.high >= UNINFORMED_NOISE


def test_the_first_prediction_is_the_populations_ridge():
    prior = made_prior(np.random.default_rng(2))
    embedding = prior.embedding_mean + 0.3 * prior.embedding_deviation
    features = RunningNormalization(prior.embedding_mean, prior.embedding_deviation).apply(
        embedding
    )
    scores = (embedding - prior.embedding_mean) / prior.embedding_deviation
    expected = scores @ prior.weights + prior.intercept
    prediction = AffectLearner(prior).predict(features)
    for name, value in zip(DIMENSIONS, expected, strict=True):
        assert getattr(prediction, name).mean == pytest.approx(np.clip(value, -1, 1), abs=1e-12)


@pytest.mark.parametrize("size", [1, 16, 768])
def test_the_first_doubt_does_not_depend_on_the_encoders_size(size):
    features = np.ones(size)
    estimate = AffectLearner(Prior.uninformed(size, 4)).dimensions["valence"]
    inputs = np.append(features / np.sqrt(size), 1.0)
    smallest = AffectLearner(Prior.uninformed(1, 4)).dimensions["valence"]
    assert estimate.regression.deviation(inputs)[0] == pytest.approx(
        smallest.regression.deviation(np.ones(2))[0]
    )
