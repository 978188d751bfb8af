"""Variance, BatchBALD and expected variance reduction: against plain refits of the posterior."""

import numpy as np
import pytest

from streamer.learners.affect import AffectLearner
from streamer.learners.prior import Prior
from streamer.query.strategies import make_strategy
from streamer.types import Label
from tests.model_views import Given, knowing

SIZE, NUMBER = 6, 14
RNG = np.random.default_rng(0)
PRIOR = Prior.uninformed(SIZE, 4)  # the same on every dimension


@pytest.fixture
def taught():
    rng = np.random.default_rng(3)
    learner = AffectLearner(PRIOR)
    rows = rng.normal(size=(9, SIZE))
    told = [(Label(n, *rng.uniform(-1, 1, 3), None, "me"), row) for n, row in enumerate(rows)]
    return knowing(learner, told), rows, rng.normal(size=(NUMBER, SIZE)), learner


def inputs(features):
    """[sqrt(b/d) features, sqrt(a)]: in these the prior covariance is the identity."""
    weights, offset = PRIOR.weight_variance[0], PRIOR.offset_variance[0]
    return np.column_stack(
        [features * np.sqrt(weights / SIZE), np.full(len(features), np.sqrt(offset))]
    )


def posterior(rows):
    """(I + X'X)^-1, plainly."""
    design = inputs(rows)
    return np.linalg.inv(np.eye(SIZE + 1) + design.T @ design)


def test_the_covariance_is_that_of_the_posterior(taught):
    knowledge, rows, pool, _ = taught
    plain = inputs(pool) @ posterior(rows) @ inputs(pool).T
    np.testing.assert_allclose(knowledge.covariance("arousal", pool), plain, atol=1e-8)


def test_the_widest_prediction_is_asked_first(taught):
    knowledge, _, pool, learner = taught
    scores = make_strategy("variance", ["valence"])(pool, knowledge, RNG)
    plain = [
        learner.dimensions["valence"].regression.deviation(row)[0] ** 2 for row in inputs(pool)
    ]
    np.testing.assert_allclose(scores.values, plain, rtol=1e-8)


def test_batchbald_adds_up_to_the_joint_mutual_information(taught):
    knowledge, rows, pool, _ = taught
    batch = make_strategy("batchbald", ["valence"]).take(pool, knowledge, 5, RNG)
    kernel = inputs(pool) @ posterior(rows) @ inputs(pool).T
    taken = list(batch.indices)
    for count in range(1, 6):
        some = taken[:count]
        joint = 0.5 * np.linalg.slogdet(np.eye(count) + kernel[np.ix_(some, some)])[1]
        assert batch.scores.values[some].sum() == pytest.approx(joint, abs=1e-8)
        # Greedy: no other last one would have made the joint information larger.
        for other in set(range(NUMBER)) - set(some):
            swapped = [*some[:-1], other]
            less = 0.5 * np.linalg.slogdet(np.eye(count) + kernel[np.ix_(swapped, swapped)])[1]
            assert less <= joint + 1e-9


def test_batchbald_does_not_ask_the_same_twice():
    doubt = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
    here = Given(doubt={"valence": doubt}, deviation=np.ones((3, 3)))
    batch = make_strategy("batchbald", ["valence"]).take(np.zeros((3, 2)), here, 2, RNG)
    assert list(batch.indices) == [0, 2]
    alone = make_strategy("variance", ["valence"])
    assert alone(np.zeros((3, 2)), here, RNG).values.tolist() == [1.0, 1.0, 1.0]


def test_variance_reduction_is_what_a_refit_leaves(taught):
    knowledge, rows, pool, learner = taught
    batch = make_strategy("evr", ["valence"]).take(pool, knowledge, 4, RNG)
    regression = learner.dimensions["valence"].regression
    row = inputs(pool)[0]
    spread = 1.0 + row @ posterior(rows) @ row
    noise = float(regression.deviation(row)[0] ** 2 / spread)
    known = rows
    for index in batch.indices:
        before = np.einsum("nd,de,ne->n", inputs(pool), posterior(known), inputs(pool)).sum()
        gains = []
        for candidate in range(NUMBER):
            more = np.concatenate([known, pool[[candidate]]])
            after = np.einsum("nd,de,ne->n", inputs(pool), posterior(more), inputs(pool)).sum()
            gains.append(noise * (before - after))
        assert batch.scores.values[index] == pytest.approx(gains[index], abs=1e-8)
        left = set(range(NUMBER)) - set(batch.indices[: list(batch.indices).index(index)])
        assert gains[index] == pytest.approx(max(gains[i] for i in left), abs=1e-8)
        known = np.concatenate([known, pool[[index]]])


@pytest.mark.parametrize("name", ["variance", "batchbald", "evr"])
def test_a_learner_that_knows_no_doubt_leaves_it_to_chance(name):
    scores = make_strategy(name)(np.zeros((4, 2)), Given(), np.random.default_rng(0))
    assert scores.reason == "at random: the learner has no posterior covariance"
