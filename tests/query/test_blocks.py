"""A pool in blocks: exact for scores, near the exact choice for batches, in bounded memory."""

import numpy as np
import pytest

from streamer.learners.clustering import squared_distances
from streamer.query.blocks import Candidates, SequentialDraw, choose_from_blocks, is_pointwise
from streamer.query.strategies import STRATEGIES, make_strategy
from streamer.query.strategy import Scores
from tests.model_views import SIZE, taught, untaught

POINTWISE = [name for name in STRATEGIES if is_pointwise(make_strategy(name))]
JOINT = [name for name in STRATEGIES if name not in POINTWISE]


def rng(seed=0):
    return np.random.default_rng(seed)


def pool(count=500, seed=5):
    return rng(seed).normal(size=(count, SIZE))


class Pieces:
    """A pool in blocks of these sizes, over and over; numbered from 1,000 on, with gaps."""

    def __init__(self, features, sizes=(7, 100, 1, 33)):
        self.features, self.sizes = features, sizes

    def __len__(self):
        return len(self.features)

    def blocks(self):
        first, turn = 0, 0
        while first < len(self.features):
            part = self.features[first : first + self.sizes[turn % len(self.sizes)]]
            yield Candidates(1000 + 2 * np.arange(first, first + len(part)), part)
            first, turn = first + len(part), turn + 1

    def sample(self, count, rng):
        return self.features[SequentialDraw(len(self), count, rng).of(len(self))]


def test_the_registry_has_both_kinds():
    assert {"binary-confidence", "random", "margin", "entropy", "cti", "variance"} <= set(POINTWISE)
    assert {"k-means", "gsx", "batchbald", "spread-in-turn", "bmal", "alps"} & set(JOINT)


@pytest.mark.parametrize("name", [name for name in POINTWISE if name != "random"])
def test_a_pointwise_choice_is_that_of_the_whole_pool(name):
    strategy, view, features = make_strategy(name), taught(), pool()
    expected = strategy.take(features, view, 20, rng())
    found = choose_from_blocks(strategy, Pieces(features), view, 20, rng())
    assert found.is_exact
    assert found.scored == len(features)
    assert list(found.numbers) == [1000 + 2 * k for k in expected.indices]
    np.testing.assert_allclose(found.values, expected.scores.values[list(expected.indices)])


def test_of_equal_scores_the_earlier_is_asked_whatever_the_blocks():
    class Coarse(type(make_strategy("random"))):
        def __call__(self, features, knowledge, rng):
            return Scores(np.round(features[:, 0]), "rounded")

    features = pool()
    expected = Coarse().take(features, untaught(), 40, rng()).indices
    found = choose_from_blocks(Coarse(), Pieces(features), untaught(), 40, rng())
    assert list(found.numbers) == [1000 + 2 * k for k in expected]


def test_annotators_are_named_for_those_who_are_asked():
    strategy, view, features = make_strategy("individual"), taught(), pool(90)
    expected = strategy.take(features, view, 3, rng())
    numbers = {k: 1000 + 2 * k for k in expected.indices}
    found = choose_from_blocks(strategy, Pieces(features), view, 3, rng())
    assert found.reason == expected.scores.reason_of(numbers)


@pytest.mark.parametrize("name", JOINT)
def test_a_pool_of_one_block_is_exact(name):
    strategy, view, features = make_strategy(name), taught(), pool(120)
    expected = strategy.take(features, view, 9, rng())
    found = choose_from_blocks(strategy, Pieces(features), view, 9, rng(), joint_rows=120)
    assert found.is_exact
    assert list(found.numbers) == [1000 + 2 * k for k in expected.indices]
    np.testing.assert_array_equal(found.values, expected.scores.values[list(expected.indices)])


def test_k_means_of_many_blocks_has_the_centres_of_the_pool():
    """Its choice is the exact one for the centres that a sample gives."""
    features = pool(900) + 6.0 * rng(1).integers(0, 3, (900, 1))
    strategy, view = make_strategy("k-means"), untaught()
    found = choose_from_blocks(strategy, Pieces(features), view, 12, rng(), joint_rows=64)
    draws = rng()
    sample = Pieces(features).sample(4096, draws)  # all of these
    expected = strategy.fitted(sample, view, 12, draws).take(features, view, 12, draws)
    assert not found.is_exact
    assert sorted(found.numbers) == sorted(1000 + 2 * k for k in expected.indices)
    assert found.reason == "some of each of 3 clusters"


def test_a_sequential_draw_is_fair_and_complete():
    times = np.zeros(20)
    for seed in range(2000):
        draw = SequentialDraw(20, 5, rng(seed))
        picked = np.concatenate([first + draw.of(n) for first, n in ((0, 3), (3, 0), (3, 17))])
        assert len(set(picked)) == 5
        times[picked] += 1
    assert abs(times - 500).max() < 5 * np.sqrt(500 * 0.75)
    assert list(SequentialDraw(3, 9, rng()).of(3)) == [0, 1, 2]


@pytest.mark.parametrize("name", JOINT)
def test_of_more_blocks_each_is_asked_once_and_none_is_too_large(name):
    strategy, seen = make_strategy(name), []

    class Spy:
        name = "spy"

        def take(self, features, knowledge, count, rng):
            seen.append(len(features))
            return strategy.take(features, knowledge, count, rng)

    found = choose_from_blocks(Spy(), Pieces(pool()), taught(), 10, rng(), joint_rows=64)
    assert not found.is_exact
    assert found.scored == 500
    assert len(set(found.numbers)) == len(found.numbers) == 10
    assert max(seen) <= 64
    assert all(1000 <= number < 2000 and number % 2 == 0 for number in found.numbers)


@pytest.mark.parametrize("sizes", [(500,), (1,), (7, 100, 1, 33)])
def test_the_choice_does_not_depend_on_how_the_pool_comes(sizes):
    found = [
        choose_from_blocks(
            make_strategy("igs"), Pieces(pool(), sizes), taught(), 10, rng(), joint_rows=64
        ).numbers
        for sizes in ((500,), sizes)
    ]
    assert list(found[0]) == list(found[1])


def test_approximate_k_centres_cover_the_pool_nearly_as_well():
    """GSx takes k-centres greedily; the largest distance to the nearest, on average of pools."""
    strategy, view = make_strategy("gsx"), untaught()
    exact, near, by_chance = [], [], []
    for seed in range(5):
        features = pool(1000, seed)

        def radius(indices, features=features):
            return np.sqrt(squared_distances(features, features[list(indices)]).min(axis=1).max())

        exact.append(radius(strategy.take(features, view, 25, rng()).indices))
        found = choose_from_blocks(strategy, Pieces(features), view, 25, rng(), joint_rows=200)
        near.append(radius((np.array(found.numbers) - 1000) // 2))
        by_chance.append(radius(rng(seed).choice(1000, 25, replace=False)))
    assert np.mean(near) < 1.08 * np.mean(exact) < 1.12 * np.mean(exact) < np.mean(by_chance)


@pytest.mark.parametrize("name", ["binary-confidence", "k-means"])
def test_fewer_than_wanted_and_none_at_all(name):
    strategy = make_strategy(name)
    few = choose_from_blocks(strategy, Pieces(pool(5)), taught(), 9, rng())
    assert sorted(few.numbers) == [1000, 1002, 1004, 1006, 1008]
    none = choose_from_blocks(strategy, Pieces(pool(0)), taught(), 9, rng())
    assert (list(none.numbers), none.reason) == ([], "nothing is left to ask")
