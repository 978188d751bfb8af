"""river's own checks, and the same numbers as the array path and as batch ridge."""

import copy
import math
import pickle

import numpy as np
import pytest
from river.checks import yield_checks
from river.metrics import MAE
from river.preprocessing import StandardScaler
from sklearn.linear_model import Ridge

from streamer.learners.regression import BayesianRegression
from streamer.learners.river import RiverBayesianRegression

MODEL = RiverBayesianRegression()


def stream(rng, count=200, size=5):
    weights = rng.normal(size=size)
    x = rng.normal(size=(count, size))
    y = x @ weights + 0.3 + 0.1 * rng.normal(size=count)
    return x, y


def named(row):
    return {f"f{i}": value for i, value in enumerate(row)}


@pytest.mark.parametrize("check", list(yield_checks(MODEL)), ids=lambda check: check.__name__)
def test_keeps_the_conventions_of_river(check):
    check(MODEL.clone())


@pytest.mark.parametrize("strength", [0.1, 1.0, 25.0])
def test_equals_batch_ridge_and_the_array_path(strength):
    x, y = stream(np.random.default_rng(1))
    model = RiverBayesianRegression(strength, 0.5, intercept=False)
    core = BayesianRegression(np.zeros((5, 1)), strength, np.array([0.5]))
    for row, target in zip(x, y, strict=True):
        model.learn_one(named(row), target)
        core.learn(row, np.array([target]))
    ridge = Ridge(alpha=strength, fit_intercept=False, solver="cholesky").fit(x, y)
    for row in stream(np.random.default_rng(2), 20)[0]:
        assert model.predict_one(named(row)) == pytest.approx(core.predict(row)[0], abs=1e-12)
        assert model.predict_one(named(row)) == pytest.approx(ridge.predict([row])[0], abs=1e-8)
        assert model.deviation_one(named(row)) == pytest.approx(core.deviation(row)[0], abs=1e-12)


def test_the_intercept_is_one_more_penalized_input():
    x, y = stream(np.random.default_rng(3))
    model = RiverBayesianRegression(2.0)
    for row, target in zip(x, y, strict=True):
        model.learn_one(named(row), target)
    ridge = Ridge(alpha=2.0, fit_intercept=False).fit(np.column_stack([np.ones(len(x)), x]), y)
    assert model.predict_one({}) == pytest.approx(ridge.coef_[0], abs=1e-8)


def test_features_that_come_late_and_go_equal_zeros_all_along():
    x, y = stream(np.random.default_rng(4), 120)
    x[:50, 3:] = 0.0  # not there yet
    x[90:, 0] = 0.0  # no longer there
    late, whole = RiverBayesianRegression(), RiverBayesianRegression()
    for row, target in zip(x, y, strict=True):
        whole.learn_one(named(row), target)
        late.learn_one({name: value for name, value in named(row).items() if value}, target)
    question = named(np.random.default_rng(5).normal(size=5))
    assert late.predict_one(question) == pytest.approx(whole.predict_one(question), abs=1e-10)
    assert late.deviation_one(question) == pytest.approx(whole.deviation_one(question), abs=1e-10)


def test_a_feature_never_learned_widens_and_does_not_move():
    x, y = stream(np.random.default_rng(6))
    model = RiverBayesianRegression()
    for row, target in zip(x, y, strict=True):
        model.learn_one(named(row), target)
    question = named(x[0])
    surprise = {**question, "never": 3.0}
    assert model.predict_one(surprise) == model.predict_one(question)
    assert model.deviation_one(surprise) > 2.0 * model.deviation_one(question)
    grown = copy.deepcopy(model)
    grown._regression.widen(grown._columns.grow(surprise))
    assert grown.deviation_one(surprise) == pytest.approx(model.deviation_one(surprise))


def test_learns_in_a_pipeline_behind_a_scaler():
    rng = np.random.default_rng(7)
    x, y = stream(rng, 400)
    x = x * np.array([1000.0, 0.01, 1.0, 5.0, 1.0]) + np.array([5000.0, 0.0, -3.0, 0.0, 1.0])
    pipeline = StandardScaler() | RiverBayesianRegression()
    blind, error = MAE(), MAE()
    for i, (row, target) in enumerate(zip(x, y, strict=True)):
        if i >= 200:
            error.update(target, pipeline.predict_one(named(row)))
            blind.update(target, 0.3)
        pipeline.learn_one(named(row), target)
    assert error.get() < 0.15
    assert error.get() < 0.2 * blind.get()


def test_copies_and_pickles_predict_the_same_and_live_apart():
    x, y = stream(np.random.default_rng(8), 30)
    model = RiverBayesianRegression(strength=0.5)
    for row, target in zip(x, y, strict=True):
        model.learn_one(named(row), target)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        before = model.predict_one(named(x[0]))
        assert twin.predict_one(named(x[0])) == before
        twin.learn_one(named(x[0]), 10.0)
        assert model.predict_one(named(x[0])) == before
    assert model.clone().predict_one(named(x[0])) == 0.0
    assert model.clone().strength == 0.5


@pytest.mark.parametrize("setting", [{"strength": 0.0}, {"noise": -1.0}, {"noise": math.nan}])
def test_refuses_settings_that_cannot_be_meant(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        RiverBayesianRegression(**setting)
