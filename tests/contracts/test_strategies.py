"""One suite over every query strategy: a new one is a row of STRATEGIES."""

import numpy as np
import pytest

from streamer.core.affect import AffectLearner
from streamer.core.informativeness import STRATEGIES, make_strategy
from streamer.core.selection import choose
from streamer.messages import DIMENSIONS
from tests.support import label_of, made_prior, same_arrays

SIZE = 6
LIMIT = 6.0


def untaught():
    return AffectLearner(made_prior(np.random.default_rng(0), SIZE))


def taught(count=40):
    learner, rng = untaught(), np.random.default_rng(1)
    for number in range(count):
        answers = {
            name: float(value)
            for name, value in zip(DIMENSIONS, rng.uniform(-1, 1, 3), strict=True)
        }
        learner.learn(rng.normal(size=SIZE), label_of(number, **answers), first=True)
    return learner


def one_class():
    learner, rng = untaught(), np.random.default_rng(2)
    for number in range(20):
        learner.learn(rng.normal(size=SIZE), label_of(number, valence=0.8), first=True)
    return learner


LEARNERS = {"untaught": untaught, "taught": taught, "one class": one_class}


@pytest.fixture(params=STRATEGIES)
def strategy(request):
    return make_strategy(request.param)


@pytest.fixture(params=LEARNERS)
def learner(request):
    return LEARNERS[request.param]()


def buffer(count):
    return np.random.default_rng(count).normal(size=(count, SIZE))


def test_carries_the_name_it_is_found_by():
    for name in STRATEGIES:
        assert make_strategy(name).name == name


@pytest.mark.parametrize("count", [1, 2, 10, 333])
def test_scores_are_one_finite_number_an_utterance_with_a_reason(strategy, learner, count):
    scores = strategy(buffer(count), learner, np.random.default_rng(0))
    assert scores.values.shape == (count,)
    assert scores.values.dtype == np.float64
    assert np.isfinite(scores.values).all()
    assert scores.reason == scores.reason.strip() != ""
    assert "\n" not in scores.reason


def test_the_same_generator_state_gives_the_same_scores(strategy, learner):
    first = strategy(buffer(12), learner, np.random.default_rng([3, 4]))
    second = strategy(buffer(12), learner, np.random.default_rng([3, 4]))
    assert first.values.tobytes() == second.values.tobytes()
    assert first.reason == second.reason


def test_neither_the_global_generator_nor_an_earlier_call_has_a_say(strategy, learner):
    np.random.seed(0)
    first = strategy(buffer(12), learner, np.random.default_rng(5))
    np.random.seed(1)
    strategy(buffer(30), learner, np.random.default_rng(6))
    second = strategy(buffer(12), learner, np.random.default_rng(5))
    assert first.values.tobytes() == second.values.tobytes()


def test_scoring_teaches_nothing_and_leaves_the_buffer_alone(strategy, learner):
    before = {name: array.copy() for name, array in learner.to_arrays().items()}
    rows = buffer(12)
    kept = rows.copy()
    strategy(rows, learner, np.random.default_rng(0))
    assert same_arrays(learner.to_arrays(), before)
    assert np.array_equal(rows, kept)


def test_a_restored_learner_is_scored_alike(strategy, learner):
    restored = AffectLearner.from_arrays(learner.to_arrays())
    first = strategy(buffer(12), learner, np.random.default_rng(0))
    second = strategy(buffer(12), restored, np.random.default_rng(0))
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
def test_extreme_features_score_finite_and_can_be_split(strategy, learner, rows):
    values = strategy(rows, learner, np.random.default_rng(0)).values
    assert np.isfinite(values).all()
    asked, released = choose(values, 0.5)
    assert sorted(asked + released) == [0, 1, 2, 3, 4]
