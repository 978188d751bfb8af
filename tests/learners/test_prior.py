"""The prior: its arrays, and what a learner makes of it before the first label."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import UNINFORMED_NOISE, Prior, is_outdated
from streamer.learners.scale import squash
from streamer.types import DIMENSIONS
from tests.support import made_prior, made_voices, same_arrays


def test_its_arrays_make_it_again():
    for prior in (made_prior(np.random.default_rng(0)), made_voices(np.random.default_rng(0))):
        assert same_arrays(Prior.from_arrays(prior.to_arrays()).to_arrays(), prior.to_arrays())
        assert prior.fault(6, 4) is None


@pytest.mark.parametrize("make", [made_prior, made_voices])
def test_it_comes_back_from_lists_as_an_export_keeps_it(make):
    prior = make(np.random.default_rng(0))
    lists = {name: array.tolist() for name, array in prior.to_arrays().items()}
    again = Prior.from_arrays({name: np.array(values) for name, values in lists.items()})
    assert same_arrays(again.to_arrays(), prior.to_arrays())


def test_arrays_of_before_there_were_voices_mean_what_they_did():
    """Ridge strength 0.2, and a noise that was all that is left unexplained of a new voice."""
    new = made_prior(np.random.default_rng(0))
    former = ("embedding_mean", "embedding_deviation", "emotion_mean", "weights", "intercept")
    arrays = {name: new.to_arrays()[name] for name in former} | {"noise": np.full(3, 0.4)}
    assert is_outdated(arrays)
    assert not is_outdated(new.to_arrays())
    prior = Prior.from_arrays(arrays)
    assert (1.0 / prior.weight_variance == 0.2).all()
    total = prior.noise * np.sqrt(1.0 + prior.offset_variance + prior.weight_variance)
    np.testing.assert_allclose(total, 0.4)


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("weights", np.zeros((6, 2)), "its weights is [6, 2], not [6, 3]"),
        ("class_affect", np.zeros((4, 3)), "its class_affect is [4, 3], not [5, 3]"),
        ("noise", np.array([0.1, 0.0, 0.1]), "its noise is not above 0"),
        ("damping", np.array([np.nan, 0.1]), "its damping is not finite numbers"),
        ("prototypes", np.zeros((5, 3)), "its prototypes is [5, 3], not [5, 4]"),
    ],
)
def test_what_cannot_be_a_prior_is_said(name, array, told):
    broken = replace(made_voices(np.random.default_rng(0)), **{name: array})
    assert broken.fault(6, 4) == told


def test_the_expectation_lies_among_what_the_emotions_mean():
    prior = made_voices(np.random.default_rng(0))
    x = 3.0 * np.random.default_rng(1).normal(size=(50, 6))
    values, signs = prior.expect(x)
    assert (values >= prior.class_affect.min(axis=0)).all()
    assert (values <= prior.class_affect.max(axis=0)).all()
    powers = np.exp(x @ prior.class_weights + prior.class_intercept)
    chances = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(values, chances @ prior.class_affect)
    np.testing.assert_allclose(signs, chances @ np.sign(prior.class_affect))


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
        assert getattr(prediction, name).mean == pytest.approx(float(squash(value)), abs=1e-12)


@pytest.mark.parametrize("size", [1, 16, 768])
def test_the_first_doubt_does_not_depend_on_the_encoders_size(size):
    doubt = AffectLearner(Prior.uninformed(size, 4)).deviations(np.ones((1, size)))
    np.testing.assert_allclose(
        doubt, AffectLearner(Prior.uninformed(1, 4)).deviations(np.ones((1, 1)))
    )
