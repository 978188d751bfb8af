"""Spread: confidence times what an answer would teach, one by one, against plain formulas."""

import numpy as np
import pytest

from streamer.query.strategies import make_strategy
from streamer.types import DIMENSIONS
from tests.model_views import SIZE, Given, taught, untaught


def rng():
    return np.random.default_rng(0)


def buffer(count):
    return np.random.default_rng(7).normal(size=(count, SIZE))


def plain_variances(covariance, taken):
    """Of a Gaussian, given observations with noise 1 at those taken."""
    known = covariance[np.ix_(taken, taken)] + np.eye(len(taken))
    across = covariance[:, taken]
    return np.diag(covariance - across @ np.linalg.solve(known, across.T))


@pytest.mark.parametrize("name", ["spread", "spread-in-turn"])
def test_each_step_is_the_formula_given_those_taken_before(name):
    knowledge, rows, asked = taught(), buffer(12), ["valence", "arousal"]
    batch = make_strategy(name, asked).take(rows, knowledge, 5, rng())
    factors = [np.exp(4 * -np.abs(knowledge.confidence(d, rows) - 0.5)) for d in asked]
    taken = []
    for step, index in enumerate(batch.indices):
        worth = [
            factor * plain_variances(knowledge.covariance(d, rows), taken)
            for d, factor in zip(asked, factors, strict=True)
        ]
        values = worth[step % 2] if name == "spread-in-turn" else sum(worth)
        values[taken] = -np.inf
        assert index == int(np.argmax(values))
        taken.append(index)


def test_before_there_is_confidence_what_is_unknown_counts_alone():
    knowledge, rows = untaught(), buffer(9)
    scores = make_strategy("spread", ["valence"])(rows, knowledge, rng())
    np.testing.assert_allclose(scores.values, np.diag(knowledge.covariance("valence", rows)))
    assert not scores.at_random


def test_of_two_alike_it_takes_one():
    rows = buffer(6)
    rows[1] = rows[0] = 3.0 * rows[0]
    batch = make_strategy("spread", DIMENSIONS).take(rows, untaught(), 2, rng())
    assert not {0, 1} <= set(batch.indices)


def test_a_learner_without_a_posterior_goes_by_chance():
    scores = make_strategy("spread")(buffer(3), Given(), rng())
    assert scores.at_random


def test_in_turn_is_binary_confidence_of_one_dimension_after_the_other():
    knowledge, rows = taught(), buffer(12)
    batch = make_strategy("in-turn", ["valence", "arousal"]).take(rows, knowledge, 4, rng())
    taken = []
    for step, index in enumerate(batch.indices):
        dimension = ["valence", "arousal"][step % 2]
        values = -np.abs(knowledge.confidence(dimension, rows) - 0.5)
        values[taken] = -np.inf
        assert index == int(np.argmax(values))
        taken.append(index)
