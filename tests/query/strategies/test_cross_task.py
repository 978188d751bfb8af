"""Cross-task inconsistency: the paper's equations on an example worked by hand."""

import numpy as np
import pytest

from streamer.learners.affective_norms import affective_norm
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ClassChances, Labelled
from streamer.types import DIMENSIONS
from tests.model_views import Given

RNG = np.random.default_rng(0)
ROWS = np.array([[0.0, 0.0], [3.0, 4.0]])
# Table 1 of the paper, from [0, 1] to [-1, 1]:
#   angry   .122 .830 .604  ->  -0.756  0.660  0.208
#   sad     .225 .333 .149  ->  -0.550 -0.334 -0.702
# Chances 0.75/0.25 and 0.5/0.5 make (equation 3):
#   valence   0.75 * -0.756 + 0.25 * -0.550 = -0.7045   and  -0.653
#   arousal   0.75 *  0.660 + 0.25 * -0.334 =  0.4115   and   0.163
#   dominance 0.75 *  0.208 + 0.25 * -0.702 = -0.0195   and  -0.247
CHANCES = ClassChances(np.array([[0.75, 0.25], [0.5, 0.5]]), ("angry", "sad"))
PREDICTED = np.array([[-0.5, 0.5, 0.0], [0.3, 0.2, -1.5]])
# Equation 4: differences (-0.2045, -0.0885, -0.0195) and (-0.953, -0.037, 0.753): the last
# prediction is clipped to -1.
BY_HAND = np.sqrt([0.2045**2 + 0.0885**2 + 0.0195**2, 0.953**2 + 0.037**2 + 0.753**2])
ENTROPY = np.array([-0.75 * np.log(0.75) - 0.25 * np.log(0.25), np.log(2)])
HERE = Given(predicted=PREDICTED, chances=CHANCES)


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("cti", BY_HAND),
        ("cti-entropy", BY_HAND * ENTROPY),  # equation 8
        ("lc-ctial", BY_HAND / [0.75, 0.5]),  # equation 9
    ],
)
def test_by_hand(name, by_hand):
    scores = make_strategy(name, DIMENSIONS)(ROWS, HERE, RNG)
    np.testing.assert_allclose(scores.values, by_hand, atol=1e-8)
    assert scores.reason == "the emotion's name and its dimensions contradict each other"


def test_with_mtigs_by_hand():
    # Equation 12, with one answered at (0, 4), all three dimensions at 0: d^x is 4 and 3, and d'
    # of equation 11 is that times the length of the difference: the first agrees in dominance,
    # which by the product of equation 10 would rule it out.
    answered = Labelled(np.array([[0.0, 4.0]]), np.zeros((1, 3)), [None])
    here = Given(predicted=PREDICTED, chances=CHANCES, answers=answered)
    scores = make_strategy("mtigs-ctial", DIMENSIONS)(ROWS, here, RNG)
    lengths = np.sqrt([0.5**2 + 0.5**2 + 0.0**2, 0.3**2 + 0.2**2 + 1.5**2])
    np.testing.assert_allclose(scores.values, BY_HAND * [4.0, 3.0] * lengths, atol=1e-8)
    by_product = make_strategy("mtigs", DIMENSIONS)(ROWS, here, RNG)
    np.testing.assert_allclose(by_product.values, [0.0, 3 * 0.3 * 0.2 * 1.5], atol=1e-8)


def test_only_the_dimensions_that_are_asked_about_count():
    scores = make_strategy("cti", ["arousal"])(ROWS, HERE, RNG)
    np.testing.assert_allclose(scores.values, [0.0885, 0.037], atol=1e-8)


def test_a_class_without_norms_says_nothing_of_dimensions():
    chances = ClassChances(
        np.array([[0.375, 0.5, 0.125], [0.25, 0.5, 0.25]]), ("angry", "bored", "sad")
    )
    assert affective_norm("bored") is None
    here = Given(predicted=PREDICTED, chances=chances)
    scores = make_strategy("cti", DIMENSIONS)(ROWS, here, RNG)
    np.testing.assert_allclose(scores.values, BY_HAND, atol=1e-8)


def test_a_prediction_at_the_norm_of_a_certain_class_is_no_contradiction():
    chances = ClassChances(np.array([[1.0, 0.0]]), ("fear", "joy"))
    here = Given(predicted=np.array([affective_norm("fear")]), chances=chances)
    scores = make_strategy("cti", DIMENSIONS)(ROWS[:1], here, RNG)
    assert scores.values[0] == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize("name", ["cti", "cti-entropy", "lc-ctial", "mtigs-ctial"])
@pytest.mark.parametrize(
    ("chances", "lack"),
    [
        (None, "fewer than two emotions have labels"),
        (
            ClassChances(np.full((2, 2), 0.5), ("bored", "calm")),
            "no affective norms for the emotions that have labels",
        ),
    ],
)
def test_without_what_it_lives_on_it_is_random_and_says_why(name, chances, lack):
    here = Given(predicted=PREDICTED, chances=chances)
    scores = make_strategy(name)(ROWS, here, np.random.default_rng(0))
    assert scores.at_random
    assert scores.reason == f"at random: {lack}"
