"""The bank of strengths against learning with each strength, and against sums of densities."""

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.linear_model import BayesianRidge

from streamer.learners.evidence import STRENGTHS, StrengthBank
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression

SIZE, NOISE = 6, np.array([0.4, 1.0])
GRID = np.array([0.01, 0.3, 1.0, 30.0])


def taught(count, seed=0, weights=1.0):
    rng = np.random.default_rng(seed)
    prior, truth = rng.normal(size=(SIZE, 2)), rng.normal(size=(SIZE, 2)) * weights
    x = rng.normal(size=(count, SIZE))
    y = x @ (prior + truth) + 0.5 * rng.normal(size=(count, 2))
    bank = StrengthBank(prior, NOISE)
    for inputs, targets in zip(x, y, strict=True):
        bank.learn(inputs, targets)
    return bank, prior, x, y


@pytest.mark.parametrize("count", [0, 1, 5, 31, 32, 100])
def test_its_regression_is_the_one_that_learned_every_label(count):
    bank, prior, x, y = taught(count)
    for strength in GRID:
        plain = BayesianRegression(prior, strength, NOISE)
        for inputs, targets in zip(x, y, strict=True):
            plain.learn(inputs, targets)
        at_once = bank.regression(strength)
        for name in ("weights", "covariance", "residual", "count", "strength"):
            ours, theirs = getattr(at_once, name), getattr(plain, name)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)
        some = at_once.learn(np.ones(SIZE), np.ones(2))
        np.testing.assert_allclose(some, plain.learn(np.ones(SIZE), np.ones(2)), atol=1e-10)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_the_evidence_is_the_density_of_each_label_before_it_was_learned(count):
    """Each prediction is Student's t with the noise's degrees of freedom (Bishop 2006, 2.159)."""
    bank, prior, x, y = taught(count)
    for strength, evidence in zip(GRID, bank.log_evidence(GRID), strict=True):
        regression, total = BayesianRegression(prior, strength, NOISE), 0.0
        for inputs, targets in zip(x, y, strict=True):
            freedom, mean = NOISE_WEIGHT + regression.count, regression.predict(inputs)
            total += student.logpdf(targets, freedom, mean, regression.deviation(inputs)).sum()
            regression.learn(inputs, targets)
        assert evidence == pytest.approx(total, abs=1e-8)


def test_the_best_is_near_the_strength_that_made_the_labels():
    """Weights of deviation w around the prior under noise n: strength n^2 / w^2."""
    for weights, expected in ((2.0, 0.0625), (0.25, 4.0)):
        bests = [taught(60, seed, weights)[0].best() for seed in range(40)]
        assert np.exp(np.mean(np.log(bests))) == pytest.approx(expected, rel=0.5)


def test_the_best_is_near_that_of_scikit_learns_evidence():
    bank, prior, x, y = taught(400, seed=3)
    one = StrengthBank(prior[:, :1], NOISE[:1])
    for inputs, targets in zip(x, y[:, :1], strict=True):
        one.learn(inputs, targets)
    ridge = BayesianRidge(fit_intercept=False).fit(x, y[:, 0] - x @ prior[:, 0])
    fine = ridge.lambda_ / ridge.alpha_ * np.linspace(0.1, 10.0, 500)
    assert one.best(fine) == pytest.approx(ridge.lambda_ / ridge.alpha_, rel=0.15)
    assert bank.best() in STRENGTHS


def test_more_inputs_than_labels_still_give_finite_evidence():
    bank = StrengthBank(np.zeros((40, 1)), np.ones(1))
    rng = np.random.default_rng(0)
    for _ in range(10):
        bank.learn(rng.normal(size=40), rng.normal(size=1))
    assert np.isfinite(bank.log_evidence(np.array([1e-6, 1.0, 1e6]))).all()
