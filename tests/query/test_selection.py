"""The split of a buffer: sizes, the larger half, what is drawn by lot; and rounds over a pool."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.query.selection import ask_count, choose, choose_from_pool, draw_lot
from streamer.query.strategies import make_strategy
from streamer.query.strategy import Ranking, Scores, highest
from tests.model_views import Given

PART = st.floats(0.0, 1.0)
SCORES = st.lists(st.floats(-0.5, 0.0), min_size=1, max_size=40).map(np.array)


class ByFirstFeature(Ranking):
    """The first feature is the score."""

    name = "first feature"

    def __call__(self, features, knowledge, rng):
        return Scores(features[:, 0].copy(), "as made up")


def split(values, keep, explore=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return choose(ByFirstFeature(), values[:, np.newaxis], Given(), keep, explore, rng)


@given(values=SCORES, keep=PART, explore=PART, seed=st.integers(0, 99))
def test_every_utterance_is_asked_or_released_once(values, keep, explore, seed):
    choice = split(values, keep, explore, seed)
    assert sorted([*choice.asked, *choice.released]) == list(range(len(values)))
    assert len(choice.asked) == ask_count(len(values), keep)
    assert list(choice.released) == sorted(choice.released)
    assert set(choice.explored) <= set(choice.asked)
    assert all(type(index) is int for index in [*choice.asked, *choice.released])
    assert choice.scores.values.tolist() == values.tolist()


@given(values=SCORES, keep=PART, explore=PART, seed=st.integers(0, 99))
def test_no_released_one_scores_above_one_that_was_chosen(values, keep, explore, seed):
    choice = split(values, keep, explore, seed)
    chosen = [index for index in choice.asked if index not in choice.explored]
    assert all(values[a] >= values[r] for a in chosen for r in choice.released)
    # Highest first; of equal ones the earlier.
    assert chosen == sorted(chosen, key=lambda index: (-values[index], index))


@given(size=st.integers(0, 2_000), keep=PART, more=PART)
def test_the_count_is_the_nearest_and_grows_with_the_part(size, keep, more):
    count = ask_count(size, keep)
    assert 0 <= count <= size
    assert abs(count - size * keep) <= 0.5
    assert ask_count(size, max(keep, more)) >= count


@pytest.mark.parametrize(
    ("size", "keep", "count"),
    [(10, 0.5, 5), (7, 0.5, 4), (1, 0.5, 1), (1, 0.49, 0), (9, 0.0, 0), (9, 1.0, 9), (0, 1.0, 0)],
)
def test_halves_are_rounded_up(size, keep, count):
    assert ask_count(size, keep) == count


def test_of_equal_scores_the_earlier_are_asked():
    choice = split(np.full(5, -0.25), 0.5)
    assert (choice.asked, choice.released) == ([0, 1, 2], [3, 4])
    assert highest(np.full(5, -0.25), 3) == [0, 1, 2]


def test_without_exploration_nothing_is_drawn():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert draw_lot(10, 5, 0.0, rng) == []
    assert rng.bit_generator.state == before
    choice = split(np.arange(10.0), 0.5, explore=0.0)
    assert (choice.explored, choice.propensity) == ([], 0.0)


def test_the_lot_has_its_part_and_falls_on_all_alike():
    values = np.arange(10.0)
    drawn = np.zeros(10)
    rounds = 4_000
    for seed in range(rounds):
        for index in split(values, 0.5, 0.3, seed).explored:
            drawn[index] += 1
    propensity = split(values, 0.5, 0.3).propensity
    assert propensity == pytest.approx(0.15)
    # Five standard deviations of a binomial part.
    np.testing.assert_allclose(drawn / rounds, propensity, atol=5 * np.sqrt(0.15 * 0.85 / rounds))


@given(size=st.integers(1, 50), keep=PART, explore=PART, seed=st.integers(0, 99))
def test_the_lot_is_the_part_rounded_up_or_down(size, keep, explore, seed):
    count = ask_count(size, keep)
    lot = draw_lot(size, count, explore, np.random.default_rng(seed))
    assert abs(len(lot) - count * explore) < 1.0
    assert lot == sorted(set(lot))


def test_all_by_lot_is_a_strategy_of_no_say():
    values = np.arange(8.0)
    choice = split(values, 0.5, explore=1.0, seed=3)
    assert sorted(choice.asked) == list(choice.explored) != [4, 5, 6, 7]
    assert choice.propensity == 0.5
    everything = split(values, 1.0, explore=1.0)
    assert (len(everything.asked), list(everything.released)) == (8, [])


def test_what_the_lot_takes_is_left_out_of_the_choice():
    values = np.arange(8.0)
    for seed in range(30):
        choice = split(values, 0.5, 0.5, seed)
        rest = [index for index in range(8) if index not in choice.explored]
        assert choice.asked[: 4 - len(choice.explored)] == rest[::-1][: 4 - len(choice.explored)]


def test_a_round_over_a_pool_takes_the_highest():
    rows = np.array([[3.0], [9.0], [1.0], [7.0]])
    rng = np.random.default_rng(0)
    assert choose_from_pool(ByFirstFeature(), rows, Given(), 2, rng) == [1, 3]
    assert choose_from_pool(ByFirstFeature(), rows, Given(), 9, rng) == [1, 3, 0, 2]
    assert choose_from_pool(ByFirstFeature(), rows[:0], Given(), 2, rng) == []
    assert choose_from_pool(ByFirstFeature(), rows, Given(), 0, rng) == []


def test_a_round_over_a_part_of_the_pool_takes_the_highest_of_that_part():
    rows = np.arange(100.0)[:, np.newaxis]
    found = [
        choose_from_pool(ByFirstFeature(), rows, Given(), 1, np.random.default_rng(seed), 10)[0]
        for seed in range(200)
    ]
    # The highest of 10 out of 100 lies at 100 * 10/11 on average.
    assert 88 < np.mean(found) < 94
    assert len(set(found)) > 10
    assert (
        len(
            choose_from_pool(
                make_strategy("random"), rows, Given(), 20, np.random.default_rng(0), 5
            )
        )
        == 20
    )
