"""The learner of one profile: what each label may and may not change."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.learners.affect import CALIBRATION_PAIRS, LIMIT, AffectLearner
from streamer.learners.conformal import START
from streamer.learners.platt import binary_label, confidence, fit_sigmoid
from streamer.learners.prior import Prior
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression
from streamer.types import DIMENSIONS
from tests.support import label_of, made_prior, made_voices, same_arrays

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
    prior = made_voices(np.random.default_rng(1), SIZE)
    learner = AffectLearner(prior)
    classifier = plain_regression(prior, 0, learner)
    outputs, signs = [], []
    for features, label in lessons(60):
        inputs, expected = plain_inputs(prior, 0, features), prior.expect(features[np.newaxis])
        said = np.array([part[0, 0] for part in expected]) + classifier.predict(inputs)
        outputs.append(said[1])
        signs.append(binary_label(label.valence))
        rest = np.array([label.valence, signs[-1]]) - [part[0, 0] for part in expected]
        classifier.learn(inputs, rest, LIMIT)
        learner.learn(features, label, first=True)
    rows = np.random.default_rng(3).normal(size=(9, SIZE))
    sigmoid = fit_sigmoid(np.array(outputs), np.array(signs))
    output = prior.expect(rows)[1][:, 0] + classifier.predict(plain_inputs(prior, 0, rows))[:, 1]
    expected = confidence(output, *sigmoid)
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


def test_before_any_label_an_interval_is_as_wide_as_noise_voice_and_weights_together():
    rng = np.random.default_rng(0)
    prior = replace(
        Prior.uninformed(64, 8),
        noise=np.array([0.05, 0.06, 0.07]),
        offset_variance=np.array([0.5, 1.0, 2.0]),
        weight_variance=np.array([8.0, 4.0, 2.0]),
    )
    learner = AffectLearner(prior)
    for column, name in enumerate(DIMENSIONS):
        halves = []
        for features in rng.standard_normal((50, 64)):
            estimate = getattr(learner.predict(features), name)
            halves.append((estimate.high - estimate.low) / 2)
        variance = 1.0 + prior.offset_variance[column] + prior.weight_variance[column]
        expected = START * prior.noise[column] * np.sqrt(variance)
        assert np.mean(halves) == pytest.approx(expected, rel=0.05)


def test_it_is_the_posterior_of_the_hierarchical_model():
    """Against the Gaussian process that the model says it is, with its kernel written out."""
    # With so much noise no label is far enough from its prediction to be limited.
    prior = replace(made_voices(np.random.default_rng(4), SIZE), noise=np.full(3, 1.0))
    learner = AffectLearner(prior)
    taught = list(lessons(12))
    for features, label in taught:
        learner.learn(features, label, first=True)
    x = np.array([features for features, _ in taught])
    asked = np.random.default_rng(7).normal(size=(5, SIZE))
    directions, h = prior.damped_directions, np.diag(prior.damping)
    damp = np.eye(SIZE) - directions @ h @ directions.T
    for column, name in enumerate(DIMENSIONS):
        a, b = prior.offset_variance[column], prior.weight_variance[column]

        def kernel(some, others, a=a, b=b):
            return a + b * some @ damp @ damp @ others.T / SIZE

        y = np.array([getattr(label, name) for _, label in taught])
        rest = y - prior.expect(x)[0][:, column]
        gain = np.linalg.solve(kernel(x, x) + np.eye(len(x)), np.c_[rest, kernel(x, asked)])
        middle = prior.expect(asked)[0][:, column] + kernel(asked, x) @ gain[:, 0]
        np.testing.assert_allclose(learner.middles(asked)[:, column], middle, rtol=0, atol=1e-8)
        doubt = np.diag(kernel(asked, asked) - kernel(asked, x) @ gain[:, 1:])
        scale = NOISE_WEIGHT * prior.noise[column] ** 2 + rest @ gain[:, 0]
        variance = (1.0 + doubt) * scale / (NOISE_WEIGHT + len(x))
        found = learner.deviations(asked)[:, column]
        np.testing.assert_allclose(found, np.sqrt(variance), rtol=1e-8)


def test_a_guess_never_reaches_the_end_of_the_scale():
    learner = AffectLearner(
        replace(made_prior(np.random.default_rng(1)), intercept=np.full(3, 1.7))
    )
    prediction = learner.predict(np.zeros(SIZE))
    for name in DIMENSIONS:
        estimate = getattr(prediction, name)
        assert 0.95 < estimate.mean < 1.0
        assert estimate.low <= estimate.mean < estimate.high == 1.0


def test_a_label_far_from_its_prediction_is_learned_as_one_at_the_limit():
    prior = made_voices(np.random.default_rng(1), SIZE)
    features = np.ones(SIZE)
    wrong, limited = AffectLearner(prior), AffectLearner(prior)
    middle, deviation = (
        float(of(features[np.newaxis])[0, 1]) for of in (wrong.middles, wrong.deviations)
    )
    far = float(np.clip(middle - 10 * deviation, -50, 50))
    wrong.learn(features, label_of(1, arousal=far), first=True)
    limited.learn(features, label_of(1, arousal=middle - LIMIT * deviation), first=True)
    rows = np.random.default_rng(3).normal(size=(4, SIZE))
    np.testing.assert_allclose(wrong.middles(rows), limited.middles(rows), rtol=0, atol=1e-9)


def test_a_label_of_half_weight_is_a_label_with_twice_the_noise():
    prior = replace(made_voices(np.random.default_rng(1), SIZE), noise=np.full(3, 1.0))
    weighted = AffectLearner(prior)
    taught = list(lessons(9))
    weights = np.random.default_rng(2).uniform(0.3, 1.0, 9)
    for (features, label), weight in zip(taught, weights, strict=True):
        weighted.learn(features, label, first=True, weight=float(weight))
    x = np.array([plain_inputs(prior, 1, features) for features, _ in taught])
    rest = [lab.arousal - prior.expect(f[np.newaxis])[0][0, 1] for f, lab in taught]
    gain = np.linalg.solve(x @ x.T + np.diag(1.0 / weights), rest)
    rows = np.random.default_rng(3).normal(size=(4, SIZE))
    expected = prior.expect(rows)[0][:, 1] + plain_inputs(prior, 1, rows) @ x.T @ gain
    np.testing.assert_allclose(weighted.middles(rows)[:, 1], expected, rtol=0, atol=1e-9)


def plain_inputs(prior, column, features):
    """What a dimension's regression meets, from the formula in `AffectLearner`."""
    directions, h = prior.damped_directions, np.diag(prior.damping)
    damped = features - features @ directions @ h @ directions.T
    scaled = np.sqrt(prior.weight_variance[column] / SIZE) * damped
    ones = np.full((*features.shape[:-1], 1), np.sqrt(prior.offset_variance[column]))
    return np.concatenate([scaled, ones], axis=-1)


def plain_regression(prior, column, learner):
    noise = np.sqrt(learner.dimensions[DIMENSIONS[column]].regression.residual / NOISE_WEIGHT)
    return BayesianRegression(np.zeros((SIZE + 1, 2)), 1.0, noise)
