"""The learner of one profile: what each label may and may not change."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.learners.affect import CALIBRATION_PAIRS, AffectLearner
from streamer.learners.conformal import START
from streamer.learners.platt import binary_label, confidence, fit_sigmoid
from streamer.learners.prior import Prior
from streamer.learners.regression import BayesianRegression
from streamer.types import DIMENSIONS
from tests.support import label_of, made_prior, same_arrays

SIZE = 6


def lessons(count, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(SIZE, 3)) / 3
    for number in range(count):
        features = rng.normal(size=SIZE)
        values = np.clip(features @ weights + 0.2 * rng.normal(size=3), -1, 1)
        yield features, label_of(number, **dict(zip(DIMENSIONS, map(float, values), strict=True)))


def learner_after(count, seed=0):
    learner = AffectLearner(made_prior(np.random.default_rng(1)))
    for features, label in lessons(count, seed):
        learner.learn(features, label, first=True)
    return learner


def test_each_label_is_tested_before_it_is_learned():
    """The track record is recomputed here from the predictions a reader would have seen."""
    learner = AffectLearner(made_prior(np.random.default_rng(1)))
    predicted, given, inside = [], [], 0
    for features, label in lessons(150):
        estimate = learner.predict(features).valence
        predicted.append(estimate.mean)
        given.append(label.valence)
        inside += estimate.low <= label.valence <= estimate.high
        learner.learn(features, label, first=True)
    valence = learner.dimensions["valence"]
    predicted, given = np.array(predicted), np.array(given)
    assert valence.agreement.rmse == pytest.approx(np.sqrt(np.mean((predicted - given) ** 2)))
    assert valence.interval.covered == inside
    assert valence.agreement.count == valence.interval.count == valence.regression.count == 150


def test_learning_beats_its_own_prior():
    learner = learner_after(400)
    untaught = AffectLearner(made_prior(np.random.default_rng(1)))
    # The generator's weights come with the seed; later rows of the same stream are unseen.
    unseen = list(lessons(600))[400:]

    def error(of):
        return np.mean([(of.predict(f).arousal.mean - lab.arousal) ** 2 for f, lab in unseen])

    assert error(learner) < 0.5 * error(untaught)


def test_a_dimension_without_an_answer_is_left_alone():
    learner = learner_after(10)
    before = {k: v.copy() for k, v in learner.to_arrays().items()}
    learner.learn(np.ones(SIZE), label_of(99, arousal=0.4), first=True)
    after = learner.to_arrays()
    changed = {
        name.split("/")[0] for name in after if not np.array_equal(after[name], before[name])
    }
    assert changed == {"arousal"}


def test_an_emotion_alone_changes_nothing():
    learner = learner_after(10)
    before = {k: v.copy() for k, v in learner.to_arrays().items()}
    learner.learn(np.ones(SIZE), label_of(99, emotion="joy"), first=True)
    assert same_arrays(learner.to_arrays(), before)


def test_a_second_answer_teaches_but_does_not_judge():
    learner = learner_after(20)
    before = {k: v.copy() for k, v in learner.to_arrays().items()}
    features, _ = next(lessons(1, seed=4))
    learner.learn(features, label_of(99, "other", valence=0.9), first=False)
    after = learner.to_arrays()
    changed = {name for name in after if not np.array_equal(after[name], before[name])}
    expected = {"weights", "rows", "residual", "count"}
    assert changed == {f"valence/{name}" for name in expected}


def test_intervals_hold_their_mean_and_stay_on_the_scale():
    learner = learner_after(5)
    for features, _ in lessons(50, seed=9):
        prediction = learner.predict(6.0 * np.sign(features))
        for name in DIMENSIONS:
            estimate = getattr(prediction, name)
            assert -1.0 <= estimate.low <= estimate.mean <= estimate.high <= 1.0


def test_the_confidence_is_platts_on_outputs_from_before_each_label():
    learner = AffectLearner(Prior.uninformed(SIZE, 4))
    prior = np.zeros((SIZE + 1, 1))
    strength = 1.0 / learner.dimensions["valence"].regression.covariance[0, 0]
    classifier = BayesianRegression(prior, strength, np.ones(1))
    outputs, signs = [], []
    for features, label in lessons(60):
        inputs = np.append(features / np.sqrt(SIZE), 1.0)
        outputs.append(classifier.predict(inputs)[0])
        signs.append(binary_label(label.valence))
        classifier.learn(inputs, np.array([signs[-1]]))
        learner.learn(features, label, first=True)
    rows = np.random.default_rng(3).normal(size=(9, SIZE))
    inputs = np.hstack([rows / np.sqrt(SIZE), np.ones((9, 1))])
    sigmoid = fit_sigmoid(np.array(outputs), np.array(signs))
    expected = confidence(classifier.predict(inputs)[:, 0], *sigmoid)
    np.testing.assert_allclose(learner.confidence("valence", rows), expected, rtol=0, atol=1e-9)


def test_the_calibration_keeps_the_last_pairs_only():
    learner = learner_after(CALIBRATION_PAIRS + 7)
    pairs = learner.dimensions["valence"].calibration
    assert pairs.shape == (CALIBRATION_PAIRS, 2)
    signs = [binary_label(label.valence) for _, label in lessons(CALIBRATION_PAIRS + 7)]
    assert pairs[:, 1].tolist() == signs[7:]


def test_a_confidence_asked_before_a_label_does_not_outlive_it():
    asked, silent = learner_after(40), learner_after(40)
    rows = np.random.default_rng(3).normal(size=(4, SIZE))
    asked.confidence("valence", rows)
    for features, label in lessons(10, seed=6):
        asked.learn(features, label, first=True)
        silent.learn(features, label, first=True)
    assert np.array_equal(asked.confidence("valence", rows), silent.confidence("valence", rows))


def test_before_any_label_an_interval_is_as_wide_as_the_prior_s_noise():
    rng = np.random.default_rng(0)
    prior = replace(Prior.uninformed(64, 8), noise=np.array([0.2, 0.3, 0.4]))
    learner = AffectLearner(prior)
    for name, noise in zip(DIMENSIONS, prior.noise, strict=True):
        halves = []
        for features in rng.standard_normal((50, 64)):
            estimate = getattr(learner.predict(features), name)
            halves.append((estimate.high - estimate.low) / 2)
        assert np.mean(halves) == pytest.approx(START * noise, rel=0.05)
