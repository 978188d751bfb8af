"""What the regressions read, against the prior's own words for it."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.learners.inputs import RegressionInputs
from streamer.learners.prior import Prior
from streamer.types import DIMENSIONS
from tests.support import made_prior, made_voices

RNG = np.random.default_rng(3)
VOICES = made_voices(RNG)


@pytest.mark.parametrize(
    "prior",
    [
        VOICES,
        replace(VOICES, weights=RNG.normal(size=(6, 3)), intercept=RNG.normal(size=3)),
        made_prior(RNG),
        Prior.uninformed(6, 4),
    ],
    ids=["emotions", "emotions and a line", "a line", "nothing"],
)
def test_expectation_and_inputs_are_those_of_the_prior(prior):
    rows = RNG.normal(size=(7, 6))
    expected, inputs = RegressionInputs(prior).read(rows)
    values, signs = prior.expect(rows)
    damped = prior.damped(rows)
    assert expected.shape == (3, 7, 2)
    for column in range(len(DIMENSIONS)):
        both = np.stack([values[:, column], signs[:, column]], axis=1)
        np.testing.assert_allclose(expected[column], both, atol=1e-12)
        scaled = np.sqrt(prior.weight_variance[column]) * damped
        np.testing.assert_allclose(inputs[column, :, :-1], scaled, atol=1e-12)
        assert (inputs[column, :, -1] == np.sqrt(prior.offset_variance[column])).all()


def test_one_utterance_is_read_as_a_row_of_many():
    rows = RNG.normal(size=(5, 6))
    reader = RegressionInputs(VOICES)
    for row, expected, inputs in zip(
        rows, *(part.swapaxes(0, 1) for part in reader.read(rows)), strict=True
    ):
        one = reader.read(row)
        np.testing.assert_allclose(one[0], expected, atol=1e-12)
        np.testing.assert_allclose(one[1], inputs, atol=1e-12)


def test_an_emotion_that_is_far_the_likeliest_does_not_overflow():
    sure = replace(VOICES, class_weights=VOICES.class_weights * 1e6)
    expected, _ = RegressionInputs(sure).read(RNG.normal(size=(20, 6)))
    assert np.isfinite(expected).all()
