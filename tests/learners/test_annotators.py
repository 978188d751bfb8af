"""Several answers: soft labels, agreement and weights by hand and plainly; the four measures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy as scipy_entropy

from streamer.errors import UsageError
from streamer.learners.annotators import (
    agreement,
    annotator_weights,
    group_uncertainty,
    individual_uncertainty,
    least_sure,
    mixed_uncertainty,
    soft_labels,
    stacked,
    vote_variance,
    weighted_answers,
)
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ClassChances
from tests.model_views import Given

NAN = np.nan
# Two annotators, three utterances, two classes: agree and sure, disagree and sure, both unsure.
CUBE = np.array([[[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]])
COUNTS = arrays(np.float64, (5, 3), elements=st.integers(0, 9).map(float))


@given(votes=COUNTS)
def test_soft_labels_are_distributions_of_the_votes(votes):
    soft = soft_labels(votes)
    np.testing.assert_allclose(soft.sum(axis=1), 1.0)
    given_any = votes.sum(axis=1) > 0
    np.testing.assert_allclose(
        soft[given_any] * votes[given_any].sum(axis=1, keepdims=True), votes[given_any]
    )
    np.testing.assert_allclose(soft[~given_any], 1 / 3)


def test_soft_labels_of_single_answers_can_be_weighed():
    answers = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]]])
    np.testing.assert_allclose(soft_labels(answers), [[1 / 3, 2 / 3]])
    np.testing.assert_allclose(soft_labels(answers, np.array([2.0, 1.0, 1.0])), [[0.5, 0.5]])


def test_agreement_is_one_for_one_voice_and_nothing_for_an_even_split():
    votes = np.array([[4.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 0.0]])
    plain = 1 - scipy_entropy([0.75, 0.25], base=2)
    np.testing.assert_allclose(agreement(votes), [1.0, 0.0, plain, 0.0], atol=1e-12)
    assert agreement(np.ones((2, 1))).tolist() == [1.0, 1.0]


def test_an_annotator_weighs_as_much_as_they_agree_with_the_others():
    rng = np.random.default_rng(0)
    truth = rng.uniform(-1, 1, 60)
    answers = np.stack(
        [
            truth + 0.1 * rng.normal(size=60),
            truth + 0.3 * rng.normal(size=60),
            rng.uniform(-1, 1, 60),
        ]
    )
    weights = annotator_weights(answers)
    plain = [
        np.corrcoef(answers[a], np.delete(answers, a, axis=0).mean(axis=0))[0, 1] for a in range(3)
    ]
    np.testing.assert_allclose(weights, np.maximum(plain, 0.0), rtol=1e-12)
    assert weights[0] > weights[1] > weights[2]
    weighed = weighted_answers(answers, weights)
    np.testing.assert_allclose(weighed, weights @ answers / weights.sum(), rtol=1e-12)
    assert np.corrcoef(weighed, truth)[0, 1] > np.corrcoef(answers.mean(axis=0), truth)[0, 1]


def test_who_cannot_be_compared_weighs_as_the_mean_of_those_who_can():
    answers = np.array(
        [[0.1, 0.5, 0.9, NAN], [0.2, 0.4, 0.8, NAN], [NAN, NAN, NAN, 0.3], [0.5, 0.5, 0.5, 0.5]]
    )
    weights = annotator_weights(answers)
    assert weights[2] == weights[3] == pytest.approx(weights[:2].mean())
    assert annotator_weights(np.array([[0.1, 0.2]])).tolist() == [1.0]
    # Opposites: nobody agrees with anybody, so all count alike.
    assert annotator_weights(np.array([[1.0, 2, 3], [3.0, 2, 1]])).tolist() == [1.0, 1.0]


def test_answers_are_averaged_over_those_who_gave_one():
    answers = np.array([[0.0, 1.0, NAN, NAN], [1.0, NAN, NAN, 0.5]])
    found = weighted_answers(answers, np.array([3.0, 0.0]))
    np.testing.assert_allclose(found[[0, 1, 3]], [0.0, 1.0, 0.5])
    assert np.isnan(found[2])


def test_the_four_measures_by_hand():
    two = np.log(2)
    np.testing.assert_allclose(individual_uncertainty(CUBE), [0.0, 0.0, two], atol=1e-9)
    np.testing.assert_allclose(group_uncertainty(CUBE), [0.0, two, two], atol=1e-9)
    np.testing.assert_allclose(mixed_uncertainty(CUBE), [0.0, two, 2 * two], atol=1e-9)
    np.testing.assert_allclose(vote_variance(CUBE), [0.0, 0.5, 0.0], atol=1e-12)


@given(seed=st.integers(0, 999), annotators=st.integers(1, 5))
def test_the_group_is_the_product_of_its_members(seed, annotators):
    """AFTER, equation 14; and the individual one of the least sure (equation 13)."""
    cube = np.random.default_rng(seed).dirichlet(np.ones(4), (annotators, 6))
    product = np.maximum(cube, 1e-12).prod(axis=0)
    product /= product.sum(axis=1, keepdims=True)
    expected = -(product * np.log(np.maximum(product, 1e-300))).sum(axis=1)
    np.testing.assert_allclose(group_uncertainty(cube), expected, atol=1e-9)
    each = np.array([individual_uncertainty(own[np.newaxis]) for own in cube])
    np.testing.assert_allclose(individual_uncertainty(cube), each.max(axis=0), atol=1e-12)
    assert (each[least_sure(cube), np.arange(6)] == each.max(axis=0)).all()
    votes = np.eye(4)[cube.argmax(axis=2)]
    np.testing.assert_allclose(vote_variance(cube), votes.var(axis=0).sum(axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("individual", individual_uncertainty),
        ("group", group_uncertainty),
        ("vote-variance", vote_variance),
        ("mixed", mixed_uncertainty),
    ],
)
def test_the_strategies_are_the_measures(name, measure):
    people = [f"annotator {number}" for number in range(len(CUBE))]
    here = Given(
        by_annotator=[
            ClassChances(part, ("sad", "happy"), annotator=who)
            for part, who in zip(CUBE, people, strict=True)
        ]
    )
    scores = make_strategy(name)(np.zeros((3, 2)), here, np.random.default_rng(0))
    assert scores.values.tolist() == measure(CUBE).tolist()
    # AFTER's equation 13 names the annotator too.
    whom = [people[at] for at in least_sure(CUBE)] if name == "individual" else None
    assert scores.annotators == whom
    nobody = make_strategy(name)(np.zeros((3, 2)), Given(), np.random.default_rng(0))
    assert nobody.reason == "at random: no annotator has named two emotions"


def test_models_of_different_classes_are_refused():
    with pytest.raises(UsageError, match="same classes"):
        stacked([np.zeros((2, 3)), np.zeros((2, 4))])
