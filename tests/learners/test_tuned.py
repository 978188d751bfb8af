"""A regression that chooses its strength, against the ones it could have been."""

import numpy as np

from streamer.learners.evidence import STRENGTHS, StrengthBank
from streamer.learners.regression import BayesianRegression
from streamer.learners.tuned import TunedRegression

SIZE = 12


def labels(rng, count, weights):
    truth = weights * rng.normal(size=(SIZE, 1))
    x = rng.normal(size=(count, SIZE))
    return x, x @ truth + 0.5 * rng.normal(size=(count, 1))


def test_at_each_choice_it_is_the_regression_of_the_most_evidence_from_the_start():
    x, y = labels(np.random.default_rng(0), 40, 1.0)
    tuned = TunedRegression(np.zeros((SIZE, 1)), 7.0, np.ones(1))
    bank = StrengthBank(np.zeros((SIZE, 1)), np.ones(1))
    for count, (inputs, targets) in enumerate(zip(x, y, strict=True), start=1):
        shown = tuned.deviation(inputs)
        np.testing.assert_allclose(tuned.learn(inputs, targets), shown, rtol=1e-12)
        bank.learn(inputs, targets)
        if count < 8:
            assert tuned.strength == 7.0
        if count in (8, 16, 32):
            assert tuned.strength == bank.best()
        plain = BayesianRegression(np.zeros((SIZE, 1)), tuned.strength, np.ones(1))
        for before, answer in zip(x[:count], y[:count], strict=True):
            plain.learn(before, answer)
        np.testing.assert_allclose(tuned.weights, plain.weights, rtol=0, atol=1e-8)
        np.testing.assert_allclose(tuned.covariance, plain.covariance, rtol=0, atol=1e-8)
    assert tuned.count == 40


def test_it_predicts_better_than_from_a_start_that_is_far_off():
    errors = {"tuned": [], "fixed": []}
    for seed in range(10):
        x, y = labels(np.random.default_rng(seed), 200, 0.2)
        made = {
            "tuned": TunedRegression(np.zeros((SIZE, 1)), STRENGTHS[0], np.ones(1)),
            "fixed": BayesianRegression(np.zeros((SIZE, 1)), STRENGTHS[0], np.ones(1)),
        }
        for inputs, targets in zip(x, y, strict=True):
            for name, model in made.items():
                errors[name].append(float((model.predict(inputs)[0] - targets[0]) ** 2))
                model.learn(inputs, targets)
    assert np.mean(errors["tuned"]) < 0.9 * np.mean(errors["fixed"])
