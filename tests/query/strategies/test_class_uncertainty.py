"""Entropy, least confidence and margin: by hand, and against scikit-activeml's and modAL's."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.learners.entropy import entropy
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ClassChances
from tests.model_views import Given

RNG = np.random.default_rng(0)
ROWS = np.zeros((3, 2))
CHANCES = ClassChances(
    np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.6, 0.4, 0.0]]), ("angry", "happy", "sad")
)
MADE = np.random.default_rng(1).dirichlet(np.ones(5), 40)


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("entropy", [1.5 * np.log(2), 0.0, -0.6 * np.log(0.6) - 0.4 * np.log(0.4)]),
        ("least-confidence", [0.5, 0.0, 0.4]),
        ("source-least-confidence", [0.5, 0.0, 0.4]),
        ("margin", [-0.25, -1.0, -0.2]),
    ],
)
def test_by_hand(name, by_hand):
    scores = make_strategy(name)(ROWS, Given(chances=CHANCES), RNG)
    np.testing.assert_allclose(scores.values, by_hand, atol=1e-12)
    assert not scores.at_random


def test_source_least_confidence_says_whose_classifier_it_asks():
    own = make_strategy("source-least-confidence")(ROWS, Given(chances=CHANCES), RNG)
    assert own.reason == "the profile's own classifier is least sure (there is no source)"
    source = replace(CHANCES, of_source=True)
    of_source = make_strategy("source-least-confidence")(ROWS, Given(chances=source), RNG)
    assert of_source.reason == "the source's classifier is least sure"


@pytest.mark.parametrize("name", ["entropy", "least-confidence", "margin"])
def test_without_classes_it_is_random_and_says_why(name):
    scores = make_strategy(name)(ROWS, Given(), np.random.default_rng(0))
    assert scores.reason == "at random: fewer than two emotions have labels"
    assert scores.values.tolist() == np.random.default_rng(0).random(3).tolist()


def test_entropy_is_bounded_and_highest_for_even_chances():
    assert (entropy(MADE) > 0.0).all()
    assert (entropy(MADE) < np.log(5)).all()
    assert entropy(np.full((1, 5), 0.2))[0] == pytest.approx(np.log(5))


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("entropy", "entropy"),
        ("least-confidence", "least_confident"),
        ("margin", "margin_sampling"),
    ],
)
def test_ranks_as_scikit_activeml(name, method):
    pool = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is not installed")
    oracle = pool.uncertainty_scores(MADE, method=method)
    mine = make_strategy(name)(np.zeros((40, 2)), Given(chances=ClassChances(MADE, "abcde")), RNG)
    np.testing.assert_allclose(np.diff(mine.values), np.diff(oracle), atol=1e-8)


@pytest.mark.parametrize(
    ("name", "function", "sign"),
    [
        ("entropy", "classifier_entropy", 1.0),
        ("least-confidence", "classifier_uncertainty", 1.0),
        ("margin", "classifier_margin", -1.0),
    ],
)
def test_scores_as_modal(name, function, sign):
    modal = pytest.importorskip("modAL.uncertainty", reason="modAL is not installed: an oracle")

    class Classifier:
        def predict_proba(self, rows):
            return MADE

    oracle = sign * getattr(modal, function)(Classifier(), np.zeros((40, 2)))
    mine = make_strategy(name)(np.zeros((40, 2)), Given(chances=ClassChances(MADE, "abcde")), RNG)
    np.testing.assert_allclose(mine.values, oracle, atol=1e-8)
