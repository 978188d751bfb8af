"""One suite over every query strategy: a new one is a row of STRATEGIES."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.learners.affect import AffectLearner
from streamer.query.selection import choose, choose_from_pool
from streamer.query.strategies import STRATEGIES, make_strategy
from streamer.types import Label
from tests import knowing
from tests.knowing import SIZE
from tests.support import made_prior, same_arrays

LIMIT = 6.0
NAMES = (*STRATEGIES, "k-means+entropy")
KNOWLEDGE = {
    "untaught": knowing.untaught(),
    "taught": knowing.taught(),
    "one class": knowing.one_class(),
}
# They draw: the order of a buffer decides what the draw falls on.
DRAWING = {"random", "k-means", "alps"}


@pytest.fixture(params=NAMES)
def strategy(request):
    return make_strategy(request.param)


@pytest.fixture(params=KNOWLEDGE)
def knowledge(request):
    return KNOWLEDGE[request.param]


def buffer(count, seed=0):
    return np.random.default_rng([count, seed]).normal(size=(count, SIZE))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", NAMES)
def test_carries_the_name_it_is_found_by(name):
    assert make_strategy(name).name == name


@pytest.mark.parametrize("count", [1, 2, 10, 99])
def test_scores_are_one_finite_number_an_utterance_with_a_reason(strategy, knowledge, count):
    scores = strategy(buffer(count), knowledge, rng())
    assert scores.values.shape == (count,)
    assert scores.values.dtype == np.float64
    assert np.isfinite(scores.values).all()
    assert scores.reason == scores.reason.strip() != ""
    assert "\n" not in scores.reason


@pytest.mark.parametrize(("size", "count"), [(1, 0), (1, 1), (2, 1), (10, 0), (10, 5), (40, 40)])
def test_a_batch_is_as_many_different_ones_as_were_wanted(strategy, knowledge, size, count):
    batch = strategy.take(buffer(size), knowledge, count, rng())
    assert len(batch.indices) == len(set(batch.indices)) == count
    assert all(type(index) is int and 0 <= index < size for index in batch.indices)
    assert batch.scores.values.shape == (size,)
    assert np.isfinite(batch.scores.values).all()
    assert batch.scores.reason == batch.scores.reason.strip() != ""


def test_chance_is_said_to_be_chance(strategy, knowledge):
    scores = strategy(buffer(12), knowledge, rng())
    batch = strategy.take(buffer(12), knowledge, 4, rng())
    assert scores.at_random == batch.scores.at_random
    assert scores.at_random == scores.reason.startswith("at random")
    if scores.at_random:
        assert scores.values.tolist() == rng().random(12).tolist()


def test_the_same_generator_state_gives_the_same_choice(strategy, knowledge):
    first = strategy(buffer(12), knowledge, rng([3, 4]))
    second = strategy(buffer(12), knowledge, rng([3, 4]))
    assert first.values.tobytes() == second.values.tobytes()
    assert first.reason == second.reason
    first = strategy.take(buffer(12), knowledge, 5, rng([3, 4]))
    second = strategy.take(buffer(12), knowledge, 5, rng([3, 4]))
    assert first.indices == second.indices


def test_neither_the_global_generator_nor_an_earlier_call_has_a_say(strategy, knowledge):
    np.random.seed(0)
    first = strategy.take(buffer(12), knowledge, 5, rng(5))
    np.random.seed(1)
    strategy.take(buffer(30), knowledge, 9, rng(6))
    second = strategy.take(buffer(12), knowledge, 5, rng(5))
    assert first.indices == second.indices
    assert first.scores.values.tobytes() == second.scores.values.tobytes()


@pytest.mark.parametrize("name", sorted(set(NAMES) - DRAWING))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 25), part=st.floats(0.0, 1.0))
def test_the_order_of_the_buffer_has_no_say(name, seed, size, part):
    strategy, knowledge = make_strategy(name), KNOWLEDGE["taught"]
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


def test_choosing_teaches_nothing_and_leaves_the_buffer_alone(strategy):
    learner = AffectLearner(made_prior(rng(), SIZE))
    told = [
        (Label(n, *row[:3].clip(-1, 1), ("angry", "happy")[n % 2], "me"), row)
        for n, row in enumerate(buffer(30))
    ]
    knowledge = knowing.knowing(learner, told)
    before = {name: array.copy() for name, array in learner.to_arrays().items()}
    places = knowledge.labelled().features.copy()
    rows = buffer(12)
    kept = rows.copy()
    strategy(rows, knowledge, rng())
    strategy.take(rows, knowledge, 6, rng())
    assert same_arrays(learner.to_arrays(), before)
    assert np.array_equal(rows, kept)
    assert np.array_equal(knowledge.labelled().features, places)


def test_a_restored_learner_is_scored_alike(strategy):
    learner = AffectLearner(made_prior(rng(), SIZE))
    for number, row in enumerate(buffer(30)):
        affect = row[:3].clip(-1, 1)
        learner.learn(row, Label(number, *affect, None, "me"), first=True)
    restored = AffectLearner.from_arrays(learner.to_arrays())
    first = strategy(buffer(12), knowing.knowing(learner, []), rng())
    second = strategy(buffer(12), knowing.knowing(restored, []), rng())
    assert first.values.tobytes() == second.values.tobytes()


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((5, SIZE)),
        np.full((5, SIZE), LIMIT),
        LIMIT * np.sign(buffer(5)),
        np.tile(buffer(1), (5, 1)),
    ],
    ids=["zeros", "limit", "corners", "equal"],
)
def test_extreme_features_can_be_scored_and_split(strategy, knowledge, rows):
    assert np.isfinite(strategy(rows, knowledge, rng()).values).all()
    choice = choose(strategy, rows, knowledge, 0.5, 0.3, rng())
    assert sorted([*choice.asked, *choice.released]) == [0, 1, 2, 3, 4]
    assert len(choice.asked) == 3
    assert np.isfinite(choice.scores.values).all()


def test_serves_a_pool_and_a_part_of_it(strategy, knowledge):
    rows = buffer(30)
    for subset in (None, 12, 3):
        chosen = choose_from_pool(strategy, rows, knowledge, 5, rng(), subset)
        assert len(set(chosen)) == 5
        assert all(0 <= index < 30 for index in chosen)
