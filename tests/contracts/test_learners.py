"""One suite over everything that learns and is stored as arrays: a new class is one row."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import streamer.learners
from streamer.learners.affect import AffectLearner, DimensionLearner
from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.drift import DriftDetector, VoiceDriftDetector
from streamer.learners.evidence import StrengthBank
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.low_rank import LowRank
from streamer.learners.metrics import RunningAgreement
from streamer.learners.normalization import RunningNormalization
from streamer.learners.random_features import FourierMap, NystromMap
from streamer.learners.regression import BayesianRegression
from streamer.learners.tuned import TunedRegression
from streamer.store.database import pack, unpack
from streamer.types import DIMENSIONS
from tests.support import label_of, made_prior, same_arrays

SIZE = 6
BIG = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Row:
    """make: a new one; learn: one step from a generator, times a size; answers: all it can say."""

    make: Callable[[], Any]
    learn: Callable[[Any, np.random.Generator, float], None]
    answers: Callable[[Any, float], list[Any]]
    largest: float


def learn_affect(learner, rng, size):
    answers = dict(zip(DIMENSIONS, map(float, rng.uniform(-1, 1, 3)), strict=True))
    if rng.random() < 0.3:
        answers["dominance"] = None
    label = label_of(1, **answers)
    learner.learn(size * rng.normal(size=SIZE).clip(-1, 1), label, first=rng.random() < 0.7)


def affect_answers(learner, size):
    features = np.full(SIZE, size)
    prediction = learner.predict(features)
    parts = [getattr(prediction, name) for name in DIMENSIONS]
    confidences = [learner.confidence(name, features[np.newaxis]) for name in DIMENSIONS]
    return [x for p in parts for x in (p.mean, p.low, p.high)] + confidences


def dimension_answers(learner, size):
    inputs = np.full(SIZE, size)
    estimate = learner.estimate(inputs)
    return [estimate.mean, estimate.low, estimate.high, learner.confidence(inputs[np.newaxis])]


def regression():
    rng = np.random.default_rng(1)
    weights, noise = rng.normal(size=(SIZE, 2)), np.array([0.4, 1.0])
    return BayesianRegression(weights, 0.3, noise)


def learn_pair(learner, rng, size):
    learner.learn(size * rng.normal(size=SIZE), rng.uniform(-1, 1, 2))


def regression_answers(learner, size):
    question = np.full(SIZE, size)
    return [learner.predict(question), learner.deviation(question)]


def learn_name(learner, rng, size):
    learner.learn(size * rng.normal(size=SIZE), "abcd"[rng.integers(4)])


def class_answers(learner, size):
    return [learner.probabilities(np.full((2, SIZE), size))]


def learn_row(learner, rng, size):
    row = 0.01 * size * rng.normal(size=SIZE)
    if learner.subtract(row, row, left=1.0):
        learner.fold()


def detector(learner, rng, size):
    learner.observe(1, size * rng.normal())


def next_changes(learner, size):
    """What a copy finds when the values jump: the watch itself only looks as it is told more."""
    copy, rng = DriftDetector.from_arrays(learner.to_arrays()), np.random.default_rng(5)
    for number in range(80):
        copy.observe(number, 100.0 * size * rng.normal())
    return [np.array([[c.since, c.found, c.before, c.after] for c in copy.changes])]


def next_voices(learner, size):
    copy, rng = VoiceDriftDetector.from_arrays(learner.to_arrays()), np.random.default_rng(5)
    for number in range(80):
        copy.hear(number, size * (1.0 + rng.normal(size=SIZE)))
    return [np.array([[c.since, c.found, c.before, c.after] for c in copy.changes()])]


ROWS = {
    RunningNormalization: Row(
        lambda: RunningNormalization(np.zeros(SIZE), np.ones(SIZE)),
        lambda one, rng, size: one.update(size * rng.uniform(-1, 1, SIZE)),
        lambda one, size: [one.apply(np.full(SIZE, size))],
        BIG,
    ),
    BayesianRegression: Row(regression, learn_pair, regression_answers, 1e6),
    AdaptiveInterval: Row(
        AdaptiveInterval,
        lambda one, rng, size: one.observe(size * rng.normal(), rng.uniform(0.1, 1.0)),
        lambda one, size: [one.width, one.coverage],
        BIG,
    ),
    RunningAgreement: Row(
        RunningAgreement,
        lambda one, rng, size: one.observe(size * rng.normal(), size * rng.normal()),
        lambda one, size: [one.ccc, one.cc, one.rmse],
        BIG,
    ),
    DimensionLearner: Row(
        lambda: DimensionLearner(regression()),
        lambda one, rng, size: one.learn(
            size * rng.normal(size=SIZE).clip(-1, 1),
            rng.uniform(-1, 1),
            1,
            first=rng.random() < 0.7,
        ),
        dimension_answers,
        1e3,
    ),
    AffectLearner: Row(
        lambda: AffectLearner(made_prior(np.random.default_rng(2), SIZE)),
        learn_affect,
        affect_answers,
        1e3,
    ),
    LowRank: Row(
        lambda: LowRank(np.eye(SIZE)),
        learn_row,
        lambda one, size: [one.matrix(), one.times(np.full(SIZE, size))],
        1.0,
    ),
    StrengthBank: Row(
        lambda: StrengthBank(np.full((SIZE, 2), 0.1), np.array([0.4, 1.0])),
        learn_pair,
        lambda one, size: [one.log_evidence(np.array([0.1, 1.0])), one.regression(0.3).weights],
        1e3,
    ),
    TunedRegression: Row(
        lambda: TunedRegression(np.full((SIZE, 2), 0.1), 0.3, np.array([0.4, 1.0])),
        learn_pair,
        regression_answers,
        1e3,
    ),
    OnlineLogistic: Row(lambda: OnlineLogistic(SIZE), learn_name, class_answers, 1e3),
    DriftDetector: Row(DriftDetector, detector, next_changes, 1e3),
    VoiceDriftDetector: Row(
        VoiceDriftDetector,
        lambda one, rng, size: one.hear(1, size * rng.normal(size=SIZE)),
        next_voices,
        1e3,
    ),
}
# Made once, these learn nothing; their own tests store them.
MAPS = {FourierMap, NystromMap}

ALL = {kind.__name__: (kind, row) for kind, row in ROWS.items()}


@pytest.fixture(params=ALL)
def name(request):
    return request.param


@pytest.fixture
def kind(name):
    return ALL[name][0]


@pytest.fixture
def row(name):
    return ALL[name][1]


def taught(row, steps=40, seed=0, size=1.0):
    learner, rng = row.make(), np.random.default_rng(seed)
    for _ in range(steps):
        row.learn(learner, rng, size)
    return learner


def bits(answers):
    return [None if answer is None else np.asarray(answer).tobytes() for answer in answers]


def test_every_learner_that_is_stored_has_its_row():
    found = set()
    for module in pkgutil.walk_packages(streamer.learners.__path__, "streamer.learners."):
        members = vars(importlib.import_module(module.name)).values()
        found |= {m for m in members if inspect.isclass(m) and hasattr(m, "from_arrays")}
    assert found == set(ROWS) | MAPS


@pytest.mark.parametrize("steps", [0, 1, 2, 40, 300])
def test_arrays_make_the_same_learner_bit_for_bit(kind, row, steps):
    learner = taught(row, steps)
    kept = learner.to_arrays()
    restored = kind.from_arrays(kept)
    assert same_arrays(restored.to_arrays(), kept)
    assert bits(row.answers(restored, 0.7)) == bits(row.answers(learner, 0.7))


@pytest.mark.parametrize("steps", [0, 1, 3, 40])
def test_stored_and_read_again_it_goes_on_as_if_it_had_never_stopped(kind, row, steps):
    learner = taught(row, steps)
    restored = kind.from_arrays(unpack(pack(learner.to_arrays())))
    some, others = np.random.default_rng(9), np.random.default_rng(9)
    for _ in range(50):
        row.learn(learner, some, 1.0)
        row.learn(restored, others, 1.0)
    assert same_arrays(restored.to_arrays(), learner.to_arrays())
    assert bits(row.answers(restored, -1.3)) == bits(row.answers(learner, -1.3))


def test_every_array_is_of_float64(row):
    assert all(array.dtype == np.float64 for array in taught(row).to_arrays().values())


def test_the_same_lessons_give_the_same_learner(row):
    assert same_arrays(taught(row, seed=3).to_arrays(), taught(row, seed=3).to_arrays())
    assert not same_arrays(taught(row, seed=3).to_arrays(), taught(row, seed=4).to_arrays())


def test_a_question_changes_nothing(row):
    learner, silent = taught(row), taught(row)
    before = {name: array.copy() for name, array in learner.to_arrays().items()}
    first = bits(row.answers(learner, 0.4))
    assert bits(row.answers(learner, 0.4)) == first
    assert same_arrays(learner.to_arrays(), before)
    some, others = np.random.default_rng(1), np.random.default_rng(1)
    row.learn(learner, some, 1.0)
    row.learn(silent, others, 1.0)
    assert same_arrays(learner.to_arrays(), silent.to_arrays())


def test_what_was_handed_out_does_not_change_with_later_lessons(kind, row):
    learner = taught(row)
    handed = learner.to_arrays()
    kept = {name: array.copy() for name, array in handed.items()}
    restored = kind.from_arrays(handed)
    rng = np.random.default_rng(1)
    row.learn(learner, rng, 1.0)
    row.learn(restored, rng, 1.0)
    assert same_arrays(handed, kept)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1.0, "largest"])
def test_extreme_finite_lessons_keep_it_finite(row, size):
    size = row.largest if size == "largest" else size
    learner = taught(row, steps=60, size=size)
    assert all(np.isfinite(array).all() for array in learner.to_arrays().values())
    for question in (0.0, size, -size):
        answers = row.answers(learner, question)
        assert all(answer is None or np.isfinite(answer).all() for answer in answers)


def test_a_new_one_answers_too(row):
    answers = row.answers(row.make(), 1.0)
    assert all(answer is None or np.isfinite(answer).all() for answer in answers)
