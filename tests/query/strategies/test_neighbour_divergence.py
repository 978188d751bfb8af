"""BMAL by AFTER's equation 11, pair by pair."""

import numpy as np
import pytest

from streamer.query.strategies import make_strategy
from streamer.query.strategies.neighbour_divergence import NEIGHBOURS
from streamer.query.strategy import ClassChances
from tests.model_views import Given


def test_it_is_the_mean_divergence_from_the_nearest():
    rng = np.random.default_rng(0)
    rows, chances = rng.normal(size=(9, 3)), rng.dirichlet(np.ones(4), 9)
    here = Given(chances=ClassChances(chances, tuple("abcd")))
    scores = make_strategy("bmal")(rows, here, rng)
    for i in range(9):
        away = [np.linalg.norm(rows[i] - row) if j != i else np.inf for j, row in enumerate(rows)]
        near = np.argsort(away)[:NEIGHBOURS]
        pairs = [
            sum((p - q) * np.log(p / q) for p, q in zip(chances[i], chances[j], strict=True))
            for j in near
        ]
        assert scores.values[i] == pytest.approx(np.mean(pairs))


def test_the_odd_one_among_like_ones_is_asked_first():
    rows = np.zeros((6, 2)) + 0.01 * np.arange(12).reshape(6, 2)
    chances = np.tile([0.9, 0.1], (6, 1))
    chances[3] = [0.1, 0.9]
    here = Given(chances=ClassChances(chances, ("joy", "anger")))
    assert make_strategy("bmal").take(rows, here, 1, np.random.default_rng(0)).indices == [3]


def test_without_classes_it_goes_by_chance_and_says_so():
    scores = make_strategy("bmal")(np.zeros((3, 2)), Given(), np.random.default_rng(0))
    assert scores.reason == "at random: fewer than two emotions have labels"
