"""river's estimators on arrays against the same estimators on their own input."""

import numpy as np
import pytest
from river.base import Classifier, Regressor
from river.linear_model import LogisticRegression, PARegressor
from river.multiclass import OneVsRestClassifier
from river.naive_bayes import GaussianNB

from streamer.errors import UsageError
from streamer.learners.regression import NOISE_WEIGHT
from streamer.learners.river.plugged import PluggedClassifier, PluggedRegressor, make_river
from tests.support import same_arrays

SIZE = 3
REGRESSORS = [
    "river:linear_model.PARegressor(C=0.5)",
    "river:linear_model.LinearRegression",
    "river:linear_model.BayesianLinearRegression",
    "river:neighbors.KNNRegressor(n_neighbors=3)",
    "river:tree.HoeffdingTreeRegressor(grace_period=10)",
    "river:forest.ARFRegressor(n_models=2)",
]
CLASSIFIERS = [
    "river:naive_bayes.GaussianNB",
    "river:linear_model.LogisticRegression",
    "river:linear_model.Perceptron",
    "river:tree.HoeffdingTreeClassifier(grace_period=10)",
    "river:forest.ARFClassifier(n_models=2)",
]


def labels(count=40, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, SIZE))
    return x, x[:, :2] + 0.1 * rng.normal(size=(count, 2))


def named(row):
    return dict(enumerate(row.tolist()))


def test_a_regressor_says_what_river_does_one_a_target():
    x, y = labels()
    ours = PluggedRegressor(REGRESSORS[0], SIZE, np.array([0.3, 0.6]))
    theirs = [PARegressor(C=0.5), PARegressor(C=0.5)]
    squares = NOISE_WEIGHT * np.array([0.3, 0.6]) ** 2
    for count, (inputs, targets) in enumerate(zip(x, y, strict=True)):
        said = [model.predict_one(named(inputs)) for model in theirs]
        assert ours.predict(inputs).tolist() == said
        deviation = np.sqrt(squares / (NOISE_WEIGHT + count))
        np.testing.assert_allclose(ours.learn(inputs, targets), deviation, rtol=1e-12)
        squares += (targets - said) ** 2
        for model, target in zip(theirs, targets, strict=True):
            model.learn_one(named(inputs), target)
    assert ours.predict(x).shape == ours.deviation(x).shape == (40, 2)
    assert np.array_equal(ours.predict(x)[7], ours.predict(x[7]))


@pytest.mark.parametrize("path", REGRESSORS)
def test_any_regressor_learns_and_comes_back(path):
    x, y = labels()
    model = PluggedRegressor(path, SIZE, np.array([0.5, 0.5]))
    assert model.predict(x[0]).shape == (2,)
    for inputs, targets in zip(x, y, strict=True):
        model.learn(inputs, targets)
    back = PluggedRegressor.from_arrays(model.to_arrays())
    assert same_arrays(back.to_arrays(), model.to_arrays())
    assert np.array_equal(back.predict(x), model.predict(x))
    assert np.array_equal(back.deviation(x), model.deviation(x))


@pytest.mark.parametrize("path", CLASSIFIERS)
def test_any_classifier_learns_three_classes_and_comes_back(path):
    x, _ = labels(90)
    names = ["abc"[int(row[0] > 0.5) + int(row[0] > -0.5)] for row in x]
    model = PluggedClassifier(path, SIZE)
    assert model.probabilities(x).shape == (90, 0)
    for inputs, name in zip(x, names, strict=True):
        model.learn(inputs, name)
    chances = model.probabilities(x)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    said = [model.classes[k] for k in chances.argmax(axis=1)]
    assert np.mean([one == other for one, other in zip(said, names, strict=True)]) > 0.45
    back = PluggedClassifier.from_arrays(model.to_arrays())
    assert np.array_equal(back.probabilities(x), chances)


@pytest.mark.parametrize(
    ("path", "theirs"),
    [(CLASSIFIERS[0], GaussianNB()), (CLASSIFIERS[1], OneVsRestClassifier(LogisticRegression()))],
)
def test_a_classifier_says_what_river_does(path, theirs):
    x, _ = labels()
    ours = PluggedClassifier(path, SIZE)
    for count, inputs in enumerate(x):
        name = "abc"[count % 3]
        ours.learn(inputs, name)
        theirs.learn_one(named(inputs), name)
    for row in x[:5]:
        expected = theirs.predict_proba_one(named(row))
        said = dict(zip(ours.classes, ours.probabilities(row[None])[0], strict=True))
        assert said == pytest.approx(expected)


def test_a_seed_is_passed_in_unless_one_is_given():
    assert make_river("river:forest.ARFRegressor", Regressor, 7).seed == 7
    assert make_river("river:forest.ARFRegressor(seed=3)", Regressor, 7).seed == 3
    assert make_river("river:forest.ARFClassifier", Classifier, 9).seed == 9


@pytest.mark.parametrize(
    "path",
    [
        "river:linear_model.Nope",
        "river:nope.PARegressor",
        "river:linear_model",
        "river:linear_model.PARegressor(C=)",
        "river:linear_model.PARegressor(D=1)",
        "river:linear_model.PARegressor(0.1)",
        "river:linear_model.PARegressor(C=print())",
        "river:linear_model.LogisticRegression",
        "river:stats.Mean",
        "os:system",
        "",
    ],
)
def test_what_is_no_regressor_of_river_is_refused_with_what_would_be(path):
    with pytest.raises(UsageError, match="give a regressor of river's"):
        PluggedRegressor(path, SIZE, np.ones(1))
