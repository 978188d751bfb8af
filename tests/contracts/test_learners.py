"""One suite over everything that learns and is stored as arrays: a new class is one row."""

import importlib
import inspect
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

import streamer.learners
from streamer.learners.affect import AffectLearner, DimensionLearner
from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.drift import DriftDetector
from streamer.learners.evidence import StrengthBank
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.low_rank import LowRank
from streamer.learners.metrics import RunningAgreement
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.learners.random_features import FourierMap, NystromMap
from streamer.learners.raters import RaterWeights
from streamer.learners.regression import BayesianRegression
from streamer.learners.source import SourceModel
from streamer.learners.tuned import TunedRegression
from streamer.learners.voice_drift import VoiceDriftDetector
from streamer.store.database import pack, unpack
from streamer.testing.learner_contract import LEARNER_RULES, LearnerCase, check_learner
from streamer.types import DIMENSIONS
from tests.support import label_of, made_voices, same_arrays

SIZE = 6
BIG = float(np.finfo(np.float32).max)
PRIOR = made_voices(np.random.default_rng(2), SIZE)


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
    inputs, expected = np.full(SIZE, size), np.zeros(2)
    estimate = learner.estimate(inputs, expected)
    confidence = learner.confidence(inputs[np.newaxis], expected[np.newaxis])
    return [estimate.mean, estimate.low, estimate.high, confidence]


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
    for number in range(300):
        copy.hear(number, size * (2.0 * (number > 200) + rng.normal(size=SIZE)))
    return [np.array([[c.since, c.found, c.before, c.after] for c in copy.changes()])]


ROWS = {
    RunningNormalization: LearnerCase(
        lambda: RunningNormalization(np.zeros(SIZE), np.ones(SIZE)),
        lambda one, rng, size: one.update(size * rng.uniform(-1, 1, SIZE)),
        lambda one, size: [one.apply(np.full(SIZE, size))],
        BIG,
    ),
    BayesianRegression: LearnerCase(regression, learn_pair, regression_answers, 1e6),
    AdaptiveInterval: LearnerCase(
        AdaptiveInterval,
        lambda one, rng, size: one.observe(size * rng.normal(), rng.uniform(0.1, 1.0)),
        lambda one, size: [one.width, one.coverage],
        BIG,
    ),
    RunningAgreement: LearnerCase(
        RunningAgreement,
        lambda one, rng, size: one.observe(size * rng.normal(), size * rng.normal()),
        lambda one, size: [one.ccc, one.cc, one.rmse],
        BIG,
    ),
    DimensionLearner: LearnerCase(
        lambda: DimensionLearner(regression()),
        lambda one, rng, size: one.learn(
            size * rng.normal(size=SIZE).clip(-1, 1),
            rng.uniform(-0.5, 0.5, 2),
            rng.uniform(-1, 1),
            1,
            first=rng.random() < 0.7,
            weight=rng.uniform(0.1, 1.0),
        ),
        dimension_answers,
        1e3,
    ),
    AffectLearner: LearnerCase(
        lambda: AffectLearner(PRIOR),
        learn_affect,
        affect_answers,
        1e3,
    ),
    LowRank: LearnerCase(
        lambda: LowRank(np.eye(SIZE)),
        learn_row,
        lambda one, size: [one.matrix(), one.times(np.full(SIZE, size))],
        1.0,
    ),
    StrengthBank: LearnerCase(
        lambda: StrengthBank(np.full((SIZE, 2), 0.1), np.array([0.4, 1.0])),
        learn_pair,
        lambda one, size: [one.log_evidence(np.array([0.1, 1.0])), one.regression(0.3).weights],
        1e3,
    ),
    TunedRegression: LearnerCase(
        lambda: TunedRegression(np.full((SIZE, 2), 0.1), 0.3, np.array([0.4, 1.0])),
        learn_pair,
        regression_answers,
        1e3,
    ),
    OnlineLogistic: LearnerCase(lambda: OnlineLogistic(SIZE), learn_name, class_answers, 1e3),
    DriftDetector: LearnerCase(DriftDetector, detector, next_changes, 1e3),
    VoiceDriftDetector: LearnerCase(
        VoiceDriftDetector,
        lambda one, rng, size: one.hear(1, size * rng.normal(size=SIZE)),
        next_voices,
        1e3,
    ),
}
# Made once, these learn nothing; their own tests store them.
MAPS = {FourierMap, NystromMap, Prior, SourceModel}
# Whose own tests store them: they weigh labels, and predict nothing.
WEIGHTS = {RaterWeights}

ALL = {kind.__name__: replace(case, from_arrays=kind.from_arrays) for kind, case in ROWS.items()}
ALL["AffectLearner"] = replace(
    ROWS[AffectLearner], from_arrays=lambda arrays: AffectLearner.from_arrays(arrays, PRIOR)
)
REGRESSORS = [
    "river:linear_model.PARegressor(C=0.5)",
    "river:linear_model.BayesianLinearRegression",
    "river:neighbors.KNNRegressor(n_neighbors=3)",
    "river:tree.HoeffdingTreeRegressor(grace_period=10)",
    "river:forest.ARFRegressor(n_models=2)",
    "streamer.learners.river:RiverBayesianRegression",
]


@pytest.mark.parametrize("rule", LEARNER_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", ALL)
def test_keeps_the_contract(name, rule):
    rule(ALL[name])


@pytest.mark.parametrize("path", REGRESSORS)
def test_regressors_by_import_path_keep_it_too(path):
    check_learner(path)


def test_every_learner_that_is_stored_has_its_row():
    found = set()
    for module in pkgutil.walk_packages(streamer.learners.__path__, "streamer.learners."):
        members = vars(importlib.import_module(module.name)).values()
        found |= {m for m in members if inspect.isclass(m) and hasattr(m, "from_arrays")}
    assert found == set(ROWS) | MAPS | WEIGHTS


@pytest.mark.parametrize("name", ALL)
def test_stored_in_a_profile_it_comes_back_bit_for_bit(name):
    case = ALL[name]
    kept = case.taught().to_arrays()
    assert same_arrays(case.from_arrays(unpack(pack(kept))).to_arrays(), kept)
