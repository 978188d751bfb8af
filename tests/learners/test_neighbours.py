"""Nearest prototypes against scikit-learn's neighbours and centroids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from streamer.errors import UsageError
from streamer.learners.neighbours import NearestPrototypes

SIZE = 4


def labels(count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, SIZE))
    names = np.array(["joy", "anger", "calm"])[rng.integers(0, 3, count)]
    return x, rng.normal(size=(count, 2)), names


def taught(x, targets, names, **settings):
    learner = NearestPrototypes(SIZE, 2, **settings)
    for inputs, target, name in zip(x, targets, names, strict=True):
        learner.learn(inputs, target, str(name))
    return learner


@pytest.mark.parametrize("neighbours", [1, 5, 12])
def test_is_scikit_learns_with_weights_by_distance(neighbours):
    x, targets, names = labels(60)
    learner = taught(x, targets, names, neighbours=neighbours)
    unseen = np.concatenate([labels(20, seed=1)[0], x[:3]])
    regressor = KNeighborsRegressor(neighbours, weights="distance").fit(x, targets)
    np.testing.assert_allclose(learner.predict(unseen), regressor.predict(unseen), atol=1e-10)
    classifier = KNeighborsClassifier(neighbours, weights="distance").fit(x, names)
    columns = [learner.classes.index(name) for name in classifier.classes_]
    chances = learner.probabilities(unseen, smoothing=0.0)[:, columns]
    np.testing.assert_allclose(chances, classifier.predict_proba(unseen), atol=1e-10)


def test_with_one_prototype_a_class_it_is_the_nearest_centroid():
    x, targets, names = labels(80, seed=2)
    x += 2.0 * (names == "joy")[:, np.newaxis]
    learner = taught(x, targets, names, neighbours=1, per_class=1)
    assert len(learner.points) == 3
    for name, point, target in zip(learner.classes, learner.points, learner.targets, strict=True):
        np.testing.assert_allclose(point, x[names == name].mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(target, targets[names == name].mean(axis=0), atol=1e-12)
    unseen = labels(50, seed=3)[0]
    said = np.array(learner.classes)[learner.probabilities(unseen).argmax(axis=1)]
    assert said.tolist() == NearestCentroid().fit(x, names).predict(unseen).tolist()


def test_a_full_class_takes_a_label_into_its_nearest_prototype():
    learner = NearestPrototypes(1, 1, neighbours=1, per_class=2)
    for inputs, target in ((0.0, 0.0), (10.0, 1.0), (8.0, 0.0), (9.0, 0.5)):
        learner.learn(np.array([inputs]), np.array([target]), "joy")
    assert learner.points[:, 0].tolist() == [0.0, 9.0]
    assert learner.targets[:, 0].tolist() == [0.0, 0.5]


def test_a_prototype_counts_as_often_as_it_was_labelled():
    learner = NearestPrototypes(1, 1, neighbours=2, per_class=1)
    for inputs, name in ((-1.0, "a"), (-1.0, "a"), (-1.0, "a"), (1.0, "b")):
        learner.learn(np.array([inputs]), np.array([inputs]), name)
    assert learner.predict(np.zeros((1, 1)))[0, 0] == pytest.approx(-0.5)


def test_smoothing_leaves_every_class_a_chance():
    x, targets, names = labels(40)
    learner = taught(x, targets, names, neighbours=1)
    chances = learner.probabilities(x[:1])[0]
    assert sorted(chances) == pytest.approx([0.25, 0.25, 0.5])


def test_before_the_first_label_it_says_zero_and_knows_no_class():
    learner = NearestPrototypes(SIZE, 2)
    assert learner.predict(np.ones((3, SIZE))).tolist() == [[0.0, 0.0]] * 3
    assert learner.probabilities(np.ones((3, SIZE))).shape == (3, 0)


@pytest.mark.parametrize("setting", [{"neighbours": 0}, {"per_class": 0}])
def test_settings_that_cannot_be_meant_are_refused(setting):
    with pytest.raises(UsageError, match=next(iter(setting))):
        NearestPrototypes(SIZE, **setting)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from("abc")), min_size=1, max_size=20),
    st.floats(-1e6, 1e6),
    st.integers(1, 4),
)
def test_chances_are_a_distribution_and_means_stay_within_what_was_said(pairs, question, per_class):
    learner = NearestPrototypes(1, 1, neighbours=3, per_class=per_class)
    for value, name in pairs:
        learner.learn(np.array([value]), np.array([value]), name)
    at = np.array([[question]])
    chances = learner.probabilities(at)
    assert (chances > 0.0).all()
    assert chances.sum() == pytest.approx(1.0)
    values = [value for value, _ in pairs]
    slack = 1e-9 * max(map(abs, values)) + 1e-300
    assert min(values) - slack <= learner.predict(at)[0, 0] <= max(values) + slack
