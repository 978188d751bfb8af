"""One suite over every query strategy: a new one is a row of STRATEGIES."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.learners.affect import AffectLearner
from streamer.query.strategies import STRATEGIES, make_strategy
from streamer.testing.strategy_contract import STRATEGY_RULES, StrategyCase, buffer
from streamer.types import Label
from tests import model_views
from tests.model_views import SIZE
from tests.support import made_prior

NAMES = (*STRATEGIES, "k-means+entropy")
# They draw: the order of a buffer decides what the draw falls on.
DRAWING = {"random", "k-means", "alps"}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", NAMES)
def test_carries_the_name_it_is_found_by(name):
    assert make_strategy(name).name == name


@pytest.mark.parametrize("rule", STRATEGY_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_keeps_the_contract(name, rule):
    rule(StrategyCase(lambda: make_strategy(name)))


@pytest.mark.parametrize("name", sorted(set(NAMES) - DRAWING))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 25), part=st.floats(0.0, 1.0))
def test_the_order_of_the_buffer_has_no_say(name, seed, size, part):
    strategy, knowledge = make_strategy(name), model_views.taught()
    rows, order = buffer(size, seed), rng(seed).permutation(size)
    alone = strategy(rows, knowledge, rng())
    turned = strategy(rows[order], knowledge, rng())
    np.testing.assert_allclose(turned.values, alone.values[order], rtol=1e-6, atol=1e-9)
    count = int(part * size)
    some = strategy.take(rows, knowledge, count, rng()).indices
    others = strategy.take(rows[order], knowledge, count, rng()).indices
    tied = np.isclose(np.diff(np.sort(alone.values)), 0.0, atol=1e-9).any()
    if not tied:
        assert some == [int(order[index]) for index in others]


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_learner_is_scored_alike(name):
    strategy = make_strategy(name)
    learner = AffectLearner(made_prior(rng(), SIZE))
    for number, row in enumerate(buffer(30)):
        affect = row[:3].clip(-1, 1)
        learner.learn(row, Label(number, *affect, None, "me"), first=True)
    restored = AffectLearner.from_arrays(learner.to_arrays(), made_prior(rng(), SIZE))
    first = strategy(buffer(12), model_views.knowing(learner, []), rng())
    second = strategy(buffer(12), model_views.knowing(restored, []), rng())
    assert first.values.tobytes() == second.values.tobytes()
