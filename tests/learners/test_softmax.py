"""The softmax loss against finite differences, its sharpness against scipy, its solvers agree."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.special import log_softmax

from streamer.learners.descent import minimize, minimize_newton
from streamer.learners.softmax import SoftmaxLoss, fit_sharpness, softmax

SIZE, KINDS = 4, 3


def made(count=30, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, KINDS, count)
    penalty = np.array([[0.5], [0.5], [0.5], [0.0]])
    rows = np.hstack([rng.normal(size=(count, SIZE - 1)), np.ones((count, 1))])
    return SoftmaxLoss(rows, np.eye(KINDS)[truth], penalty)


def test_value_gradient_and_curvature_belong_together():
    loss, rng = made(), np.random.default_rng(1)
    weights = rng.normal(size=(SIZE, KINDS))
    value, gradient = loss(weights)
    chances = log_softmax(loss.rows @ weights, axis=1)
    plain = -(chances * loss.wanted).sum() + 0.5 * (loss.penalty * weights**2).sum()
    assert value == pytest.approx(plain, rel=1e-12)
    slopes = approx_fprime(weights.ravel(), lambda w: loss(w.reshape(SIZE, KINDS))[0], 1e-7)
    np.testing.assert_allclose(gradient.ravel(), slopes, atol=1e-4)
    for place in range(SIZE * KINDS):
        step = np.zeros(SIZE * KINDS)
        step[place] = 1e-5
        ahead = loss(weights + step.reshape(SIZE, KINDS))[1]
        behind = loss(weights - step.reshape(SIZE, KINDS))[1]
        column = loss.curvature(weights)[:, place]
        np.testing.assert_allclose(column, (ahead - behind).ravel() / 2e-5, atol=1e-6)


def test_both_solvers_find_the_same_optimum():
    loss = made(80)
    start = np.zeros((SIZE, KINDS))
    whole = minimize_newton(loss, loss.curvature, start, 1e-9)
    limited = minimize(loss, start, np.eye(SIZE), 1e-9)
    assert np.abs(loss(whole)[1]).max() <= 1e-9
    assert np.abs(loss(limited)[1]).max() <= 1e-9
    np.testing.assert_allclose(softmax(whole), softmax(limited), atol=1e-7)
    np.testing.assert_allclose(whole[:-1], limited[:-1], atol=1e-8)


def test_a_good_guess_at_the_curvature_saves_steps():
    rng = np.random.default_rng(2)
    scales = np.array([100.0, 1.0, 0.01, 1.0])
    plain = made(60)
    loss = SoftmaxLoss(plain.rows * scales, plain.wanted, plain.penalty)
    steps = []
    for inverse in (np.eye(SIZE), loss.rough_inverse_curvature(np.zeros((SIZE, KINDS)))):
        calls = []

        def counted(weights, calls=calls):
            calls.append(1)
            return loss(weights)

        minimize(counted, rng.normal(size=(SIZE, KINDS)) / 100.0, inverse, 1e-6)
        steps.append(len(calls))
    assert steps[1] < 0.5 * steps[0]


@pytest.mark.parametrize("prior", [0.0, 4.0])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_sharpness_is_the_minimum_that_scipy_finds(prior, scale):
    rng = np.random.default_rng(3)
    truth = rng.integers(0, KINDS, 200)
    outputs = scale * (np.eye(KINDS)[truth] + rng.normal(size=(200, KINDS)))

    def loss(sharpness):
        chances = log_softmax(sharpness * outputs, axis=1)
        return -chances[np.arange(200), truth].sum() + prior * (sharpness - 1.0) ** 2 / 2.0

    best = minimize_scalar(loss, bounds=(0.05, 5.0), method="bounded", options={"xatol": 1e-10})
    assert fit_sharpness(outputs, truth, prior) == pytest.approx(best.x, abs=1e-6)


def test_no_outputs_leave_the_sharpness_at_one():
    assert fit_sharpness(np.zeros((0, KINDS)), np.zeros(0, np.intp), 4.0) == 1.0
