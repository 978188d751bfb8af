"""Regressors by import path: of river, and of one's own, on arrays against their own input."""

import numpy as np
import pytest
from river.linear_model import PARegressor

from streamer.errors import UsageError
from streamer.learners.plugged import BAYESIAN, PluggedRegression, make_regression
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression
from streamer.learners.river import RiverBayesianRegression

SIZE = 3
REGRESSORS = [
    "river:linear_model.PARegressor(C=0.5)",
    "river.linear_model:LinearRegression",
    "river:linear_model.BayesianLinearRegression",
    "river:neighbors.KNNRegressor(n_neighbors=3)",
    "river:tree.HoeffdingTreeRegressor(grace_period=10)",
    "river:forest.ARFRegressor(n_models=2)",
    "streamer.learners.river:RiverBayesianRegression(strength=0.5)",
]


def labels(count=40, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, SIZE))
    return x, x[:, :2] + 0.1 * rng.normal(size=(count, 2))


def named(row):
    return dict(enumerate(row.tolist()))


def made(learner, noise=(0.5, 0.5)):
    return make_regression(learner)(np.zeros((SIZE, 2)), 1.0, np.array(noise))


def test_a_regressor_says_what_river_does_one_a_target():
    x, y = labels()
    ours = made(REGRESSORS[0], (0.3, 0.6))
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
def test_the_same_labels_give_the_same_regressor(path):
    x, y = labels()
    one, other = made(path), made(path)
    assert one.predict(x[0]).shape == (2,)
    for inputs, targets in zip(x, y, strict=True):
        one.learn(inputs, targets)
        other.learn(inputs, targets)
    assert np.array_equal(one.predict(x), other.predict(x))
    assert np.array_equal(one.deviation(x), other.deviation(x))
    assert np.abs(one.predict(x)).max() > 0.0


def test_a_regressor_that_knows_its_deviation_is_asked_for_it():
    x, y = labels()
    ours, plain = made(REGRESSORS[-1]), RiverBayesianRegression(strength=0.5)
    for inputs, targets in zip(x, y, strict=True):
        ours.learn(inputs, targets)
        plain.learn_one(named(inputs), targets[1])
    expected = [plain.deviation_one(named(row)) for row in x]
    assert ours.deviation(x)[:, 1].tolist() == expected
    assert ours.deviation(x[3]).tolist() == ours.deviation(x)[3].tolist()


def test_a_class_does_as_well_as_its_path_and_the_default_is_the_products():
    ours = make_regression(PARegressor)(np.zeros((SIZE, 1)), 1.0, np.ones(1))
    assert isinstance(ours, PluggedRegression)
    assert make_regression(BAYESIAN) is BayesianRegression


def test_one_that_takes_a_seed_gets_one_unless_the_path_gives_another():
    assert made("river:forest.ARFRegressor")._models[0].seed == 0
    assert made("river:forest.ARFRegressor(seed=3)")._models[0].seed == 3


class NoNumber:
    def learn_one(self, x, y):
        self.y = y

    def predict_one(self, x):
        return float("nan")


@pytest.mark.parametrize(
    ("learner", "problem"),
    [
        ("river:linear_model.Nope", "cannot be loaded"),
        ("river:nope.PARegressor", "cannot be loaded"),
        ("river:linear_model", "is no class"),
        ("river:linear_model.PARegressor(C=)", "cannot be loaded"),
        ("river:linear_model.PARegressor(D=1)", "cannot be made"),
        ("river:linear_model.PARegressor(0.1)", "name its settings"),
        ("river:linear_model.PARegressor(C=print())", "cannot be loaded"),
        ("river:linear_model.LogisticRegression", "is a classifier"),
        ("river:cluster.KMeans", "cannot learn a number"),
        ("river:stats.Mean", "has no learn_one and predict_one"),
        ("fractions:Fraction", "has no learn_one and predict_one"),
        ("tests.learners.test_plugged:NoNumber", "predicts nan"),
        (NoNumber, "NoNumber predicts nan"),
        ("nobody.has:This", "No module named 'nobody'"),
        ("bayes", "no learner 'bayes': choose bayesian, river:module.Class"),
        ("", "no learner ''"),
    ],
)
def test_what_is_no_regressor_is_refused_with_what_would_be(learner, problem):
    with pytest.raises(UsageError, match=problem) as refused:
        make_regression(learner)
    assert "\n" not in str(refused.value)
    assert "package.module:Class" in str(refused.value) or "learn_one" in str(refused.value)
