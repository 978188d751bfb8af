"""The choices of the very first items: k-means, ALPs, DACS, BMAL; and how they hand over."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from streamer.errors import UsageError
from streamer.query.strategies import make_strategy
from streamer.query.strategies.density_start import SHARES, sparseness
from streamer.query.strategies.surprisal_start import surprisal
from streamer.query.strategy import Labelled
from tests import model_views
from tests.model_views import SIZE, Given


def rng(seed=0):
    return np.random.default_rng(seed)


def blobs(sizes, apart=15.0, seed=0):
    made = rng(seed)
    rows = [apart * np.eye(SIZE)[n] + made.normal(size=(s, SIZE)) for n, s in enumerate(sizes)]
    return np.concatenate(rows), np.repeat(np.arange(len(sizes)), sizes)


def test_k_means_begins_with_the_middle_of_each_cluster_large_or_small():
    rows, kinds = blobs([50, 12, 30])
    batch = make_strategy("k-means").take(rows, Given(), 6, rng())
    assert batch.scores.reason == "some of each of 3 clusters"
    assert sorted(kinds[list(batch.indices)[:3]]) == [0, 1, 2]
    assert np.bincount(kinds[list(batch.indices)]).tolist() == [2, 2, 2]
    for index in list(batch.indices)[:3]:
        own = rows[kinds == kinds[index]]
        away = np.linalg.norm(own - own.mean(axis=0), axis=1)
        assert np.linalg.norm(rows[index] - own.mean(axis=0)) == pytest.approx(away.min())


def test_surprisal_is_the_normal_surprisal_of_each_coordinate_at_length_one():
    rows = rng(1).normal(size=(7, SIZE))
    from scipy.stats import norm

    loss = -norm.logpdf(rows) + norm.logpdf(0.0)
    plain = loss / np.linalg.norm(loss, axis=1, keepdims=True)
    np.testing.assert_allclose(surprisal(rows), plain, atol=1e-12)
    assert surprisal(np.zeros((1, SIZE))).tolist() == [[0.0] * SIZE]


def test_alps_takes_one_of_each_kind_of_surprise():
    # Three kinds: surprising in the first, the second, the third coordinate; of either sign.
    made = rng(2)
    kinds = np.repeat([0, 1, 2], 15)
    rows = 0.3 * made.normal(size=(45, SIZE))
    rows[np.arange(45), kinds] += made.choice([-4.0, 4.0], 45)
    batch = make_strategy("alps").take(rows, Given(), 3, rng())
    assert sorted(kinds[list(batch.indices)]) == [0, 1, 2]
    loud = make_strategy("alps")(np.array([[0.1] * SIZE, [3.0] * SIZE]), Given(), rng())
    np.testing.assert_allclose(loud.values, [0.005, 4.5])


def test_sparseness_is_the_mean_distance_to_the_five_nearest_others():
    rows = rng(3).normal(size=(20, SIZE))
    away = cdist(rows, rows)
    plain = [np.sort(np.delete(row, n))[:5].mean() for n, row in enumerate(away)]
    np.testing.assert_allclose(sparseness(away), plain, rtol=1e-12)
    assert sparseness(np.zeros((1, 1))).tolist() == [0.0]


def test_dacs_asks_most_where_there_are_few_and_far_apart():
    dense = 0.1 * rng(4).normal(size=(40, SIZE))
    sparse = 8.0 * rng(5).normal(size=(20, SIZE))
    rows = np.concatenate([dense, sparse])
    batch = make_strategy("dacs").take(rows, Given(), 12, rng())
    assert (np.array(batch.indices) >= 40).sum() == 12 * SHARES[0]
    chosen = rows[list(batch.indices)]
    some = rows[rng(6).permutation(60)[:12]]
    nearest = [np.sort(cdist(part, part), axis=1)[:, 1].mean() for part in (chosen, some)]
    assert nearest[0] > nearest[1]


def test_dacs_stays_away_from_what_is_answered():
    rows = np.array([[10.0, 0.0], [-10.0, 0.0], [0.0, 10.0]])
    near = Labelled(rows[:1] + 0.1, np.zeros((1, 3)), [None])
    free = make_strategy("dacs").take(rows, Given(), 1, rng())
    aware = make_strategy("dacs").take(rows[[0]].repeat(2, axis=0), Given(answers=near), 2, rng())
    assert len(free.indices) == 1
    assert sorted(aware.indices) == [0, 1]
    groups = np.concatenate([rows, -rows])
    taken = make_strategy("dacs").take(groups, Given(answers=near), 1, rng())
    assert np.linalg.norm(groups[taken.indices[0]] - rows[0]) > 5.0


def mmd(chosen, rows, width):
    def kernel(some, others):
        return np.exp(-cdist(some, others, "sqeuclidean") / width)

    return (
        kernel(chosen, chosen).mean() - 2 * kernel(chosen, rows).mean() + kernel(rows, rows).mean()
    )


@pytest.mark.parametrize("answered", [0, 3])
def test_herding_takes_what_makes_the_discrepancy_smallest(answered):
    rows = rng(7).normal(size=(25, SIZE))
    places = rng(8).normal(size=(answered, SIZE))
    labelled = Labelled(places, np.zeros((answered, 3)), [None] * answered)
    batch = make_strategy("herding").take(rows, Given(answers=labelled), 4, rng())
    between = cdist(rows, rows, "sqeuclidean")
    width = 2.0 * np.median(between[between > 0.0])
    chosen = list(places)
    for step, index in enumerate(batch.indices):
        free = [n for n in range(25) if n not in list(batch.indices)[:step]]
        found = {n: mmd(np.array([*chosen, rows[n]]), rows, width) for n in free}
        assert found[index] == pytest.approx(min(found.values()), abs=1e-10)
        chosen.append(rows[index])


def test_herding_is_nearer_to_the_whole_than_chance():
    rows, _ = blobs([40, 10, 25])
    batch = make_strategy("herding").take(rows, Given(answers=Labelled.of([], SIZE)), 10, rng())
    between = cdist(rows, rows, "sqeuclidean")
    width = 2.0 * np.median(between[between > 0.0])
    chance = [mmd(rows[rng(n).permutation(75)[:10]], rows, width) for n in range(20)]
    assert mmd(rows[list(batch.indices)], rows, width) < np.median(chance) / 2


def test_a_cold_start_hands_over_once_the_other_has_something_to_go_on():
    rows = rng(9).normal(size=(20, SIZE))
    both = make_strategy("k-means+entropy")
    cold = both.take(rows, model_views.untaught(), 5, rng())
    start = make_strategy("k-means").take(rows, model_views.untaught(), 5, rng())
    assert cold.scores.reason.startswith("some of each of")
    assert len(cold.indices) == len(start.indices)
    warm = both.take(rows, model_views.taught(), 5, rng())
    alone = make_strategy("entropy").take(rows, model_views.taught(), 5, rng())
    assert warm.indices == alone.indices
    assert both(rows, model_views.taught(), rng()).reason == alone.scores.reason


def test_an_unknown_half_of_a_cold_start_is_refused():
    with pytest.raises(UsageError, match="'entrpy'; choose one of"):
        make_strategy("k-means+entrpy")
