"""river's own checks, and the same chances as the array path."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest
from river.checks import yield_checks
from river.metrics import Accuracy
from river.preprocessing import StandardScaler

from streamer.errors import UsageError
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.river.logistic import RiverLogistic

MODEL = RiverLogistic()


def stream(count=60, size=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, size))
    return x, [("calm", "joy", 3)[int(row[0] > 0.5) + int(row[0] > -0.5)] for row in x]


def named(row):
    return {f"f{i}": value for i, value in enumerate(row)}


def checks():
    """river's checks; on the third of its datasets, of 18 features, they take long."""
    seen = Counter()
    for check in yield_checks(MODEL):
        seen[check.__name__] += 1
        marks = [pytest.mark.long] if seen[check.__name__] > 2 else []
        name = f"{check.__name__}-{seen[check.__name__]}"
        yield pytest.param(check, marks=marks, id=name)


@pytest.mark.parametrize("check", list(checks()))
def test_keeps_the_conventions_of_river(check):
    check(MODEL.clone())


def test_its_chances_are_those_of_the_array_path():
    x, names = stream()
    model, core = RiverLogistic(0.5), OnlineLogistic(4, 0.5)
    for row, name in zip(x, names, strict=True):
        model.learn_one(named(row), name)
        core.learn(row, str(name))
    for row in x[:5]:
        chances = model.predict_proba_one(named(row))
        expected = dict(zip(core.classes, core.probabilities(row[None])[0], strict=True))
        assert {str(name): chance for name, chance in chances.items()} == pytest.approx(expected)
    assert set(chances) == {"calm", "joy", 3}


def test_learns_in_a_pipeline_behind_a_scaler():
    x, names = stream(200)
    x = x * np.array([1e3, 1e-3, 1.0, 1.0]) + np.array([5e3, 0.0, 1.0, 0.0])
    pipeline, accuracy = StandardScaler() | RiverLogistic(), Accuracy()
    for count, (row, name) in enumerate(zip(x, names, strict=True)):
        if count >= 100:
            accuracy.update(name, pipeline.predict_one(named(row)))
        pipeline.learn_one(named(row), name)
    assert accuracy.get() > 0.8


def test_copies_and_pickles_say_the_same_and_live_apart():
    x, names = stream(20)
    model = RiverLogistic()
    for row, name in zip(x, names, strict=True):
        model.learn_one(named(row), name)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        before = model.predict_proba_one(named(x[0]))
        assert twin.predict_proba_one(named(x[0])) == before
        twin.learn_one(named(x[0]), "new")
        assert model.predict_proba_one(named(x[0])) == before
    assert model.clone().predict_proba_one(named(x[0])) == {}


def test_a_penalty_that_cannot_be_meant_is_refused():
    with pytest.raises(UsageError, match="penalty"):
        RiverLogistic(penalty=0.0)
