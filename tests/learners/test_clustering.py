"""k-means and its distances: against scipy and scikit-learn; the elbow on made inertias."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from streamer.learners.clustering import elbow, elbow_clusters, k_means, squared_distances

POINTS = arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-100, 100)
)


def blobs(count, each=40, apart=12.0, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.permutation(np.eye(8)[:count] * apart)
    return np.concatenate([m + rng.normal(size=(each, 8)) for m in middles])


@given(points=POINTS, others=POINTS)
def test_distances_are_those_of_scipy(points, others):
    plain = cdist(points, others, "sqeuclidean")
    np.testing.assert_allclose(squared_distances(points, others), plain, rtol=1e-9, atol=1e-7)


@given(points=POINTS)
def test_equal_points_are_at_no_distance_at_all(points):
    far = points + 1e3
    assert (np.diag(squared_distances(far, far)) == 0.0).all()


@pytest.mark.parametrize("count", [1, 3, 5])
def test_finds_the_clusters_that_scikit_learn_finds(count):
    points = blobs(count)
    mine = k_means(points, count, np.random.default_rng(0))
    oracle = KMeans(count, n_init=10, random_state=0).fit(points)
    assert mine.inertia == pytest.approx(oracle.inertia_, rel=1e-9)
    away = cdist(mine.centres, oracle.cluster_centers_)
    assert away.min(axis=1).max() < 1e-6
    assert len(set(zip(mine.nearest, oracle.labels_, strict=True))) == count


@settings(max_examples=40)
@given(points=POINTS, seed=st.integers(0, 99), part=st.floats(0.1, 1.0))
def test_each_point_is_with_its_nearest_centre(points, seed, part):
    count = max(1, int(part * len(points)))
    clusters = k_means(points, count, np.random.default_rng(seed))
    assert clusters.centres.shape == (count, 3)
    away = cdist(points, clusters.centres, "sqeuclidean")
    own = away[np.arange(len(points)), clusters.nearest]
    np.testing.assert_allclose(own, away.min(axis=1), rtol=1e-9, atol=1e-6)
    assert clusters.inertia == pytest.approx(own.sum(), rel=1e-9, abs=1e-6)


def test_as_many_clusters_as_points_leave_nothing_over():
    points = blobs(2, each=4)
    assert k_means(points, 8, np.random.default_rng(0)).inertia == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("inertias", "bend"),
    [
        ([10.0, 1.0, 0.9, 0.8], 2),
        ([100.0, 60.0, 20.0, 18.0, 16.0, 14.0], 3),
        ([5.0, 5.0, 5.0], 1),
        ([5.0, 1.0], 1),
        ([5.0], 1),
        ([4.0, 3.0, 2.0, 1.0], 1),
    ],
)
def test_the_elbow_is_where_the_fall_slows_down(inertias, bend):
    assert elbow(np.array(inertias)) == bend


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_elbow_of_separate_blobs_is_their_number(count):
    clusters = elbow_clusters(blobs(count), np.random.default_rng(1))
    assert len(clusters.centres) == count
    sizes = np.bincount(clusters.nearest)
    assert sizes.tolist() == [40] * count


def test_fewer_points_than_clusters_are_no_hindrance():
    assert len(elbow_clusters(np.zeros((1, 3)), np.random.default_rng(0)).centres) == 1
    assert len(elbow_clusters(np.ones((5, 3)), np.random.default_rng(0)).centres) == 1
