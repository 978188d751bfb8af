"""Bayesian regression against closed forms of the whole batch and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.linear_model import BayesianRidge, Ridge

from streamer.learners.low_rank import PENDING
from streamer.learners.regression import NOISE_WEIGHT, BayesianRegression

SIZE, TARGETS = 7, 3


def problem(count, seed=0, strength=0.7):
    rng = np.random.default_rng(seed)
    prior = rng.normal(size=(SIZE, TARGETS))
    noise = rng.uniform(0.2, 0.9, TARGETS)
    x, y = rng.normal(size=(count, SIZE)), rng.normal(size=(count, TARGETS))
    regression = BayesianRegression(prior, strength, noise)
    for inputs, targets in zip(x, y, strict=True):
        regression.learn(inputs, targets)
    return regression, prior, noise, x, y


@pytest.mark.parametrize("count", [0, 1, 3, SIZE, 40, 2_000])
@pytest.mark.parametrize("strength", [1e-3, 0.7, 50.0])
def test_the_mean_is_batch_ridge_towards_the_prior(count, strength):
    regression, prior, _, x, y = problem(count, strength=strength)
    gram = x.T @ x + strength * np.eye(SIZE)
    expected = prior + np.linalg.solve(gram, x.T @ (y - x @ prior))
    np.testing.assert_allclose(regression.weights, expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(regression.covariance, np.linalg.inv(gram), rtol=0, atol=1e-8)


def test_the_mean_is_that_of_scikit_learn():
    regression, prior, _, x, y = problem(60, strength=2.5)
    ridge = Ridge(alpha=2.5, fit_intercept=False, solver="cholesky").fit(x, y - x @ prior)
    np.testing.assert_allclose(regression.weights, prior + ridge.coef_.T, rtol=0, atol=1e-8)
    unseen = np.random.default_rng(9).normal(size=(30, SIZE))
    expected = unseen @ prior + ridge.predict(unseen)
    np.testing.assert_allclose(regression.predict(unseen), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_the_noise_is_the_posterior_inverse_gamma_of_the_whole_batch(count):
    """Bishop 2006, section 3.3 with exercise 3.12: b_n = b_0 + (t't + m0'S0^-1 m0 - mn'Sn^-1 mn)/2.

    In our terms residual = 2 b and NOISE_WEIGHT + count = 2 a.
    """
    strength = 0.7
    regression, prior, noise, x, y = problem(count, strength=strength)
    gram = x.T @ x + strength * np.eye(SIZE)
    posterior = np.linalg.solve(gram, x.T @ y + strength * prior)
    for k in range(TARGETS):
        twice_b = (
            NOISE_WEIGHT * noise[k] ** 2
            + y[:, k] @ y[:, k]
            + strength * prior[:, k] @ prior[:, k]
            - posterior[:, k] @ gram @ posterior[:, k]
        )
        assert regression.residual[k] == pytest.approx(twice_b, rel=1e-9)
    at = np.random.default_rng(4).normal(size=SIZE)
    variance = regression.residual / (NOISE_WEIGHT + count) * (1 + at @ np.linalg.solve(gram, at))
    np.testing.assert_allclose(regression.deviation(at) ** 2, variance, rtol=1e-9)


def test_the_doubt_is_that_of_a_gaussian_process_and_of_bayesian_ridge():
    strength, count = 1.0, 25
    regression, _, _, x, y = problem(count, strength=strength)
    unseen = np.random.default_rng(2).normal(size=(10, SIZE))
    unit_noise = regression.residual[0] / (NOISE_WEIGHT + count)
    ours = np.array([regression.deviation(row)[0] ** 2 for row in unseen]) / unit_noise - 1.0

    kernel = DotProduct(0.0, sigma_0_bounds="fixed")
    process = GaussianProcessRegressor(kernel, alpha=1.0, optimizer=None).fit(x, y[:, 0])
    np.testing.assert_allclose(ours, process.predict(unseen, return_std=True)[1] ** 2, rtol=1e-6)

    ridge = BayesianRidge(
        fit_intercept=False, alpha_init=1.0, lambda_init=strength, max_iter=1, tol=1e9
    ).fit(x, y[:, 0])
    # It re-estimates both precisions after its last step; its covariance follows from them.
    gram = ridge.alpha_ * x.T @ x + ridge.lambda_ * np.eye(SIZE)
    np.testing.assert_allclose(ridge.sigma_, np.linalg.inv(gram), rtol=0, atol=1e-8)
    same = BayesianRegression(np.zeros((SIZE, 1)), ridge.lambda_ / ridge.alpha_, np.ones(1))
    for inputs, targets in zip(x, y[:, :1], strict=True):
        same.learn(inputs, targets)
    np.testing.assert_allclose(same.covariance / ridge.alpha_, ridge.sigma_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(same.weights[:, 0], ridge.coef_, rtol=0, atol=1e-8)
    spread = same.deviation(unseen)[:, 0] ** 2 / (same.residual[0] / (NOISE_WEIGHT + count))
    theirs = ridge.predict(unseen, return_std=True)[1]
    np.testing.assert_allclose(np.sqrt(spread / ridge.alpha_), theirs, rtol=0, atol=1e-8)


def test_learning_returns_the_deviation_that_was_shown_before_it():
    regression, _, _, x, y = problem(40)
    for inputs, targets in zip(x, y, strict=True):
        shown = regression.deviation(inputs)
        assert np.array_equal(regression.learn(inputs, targets), shown)


def test_many_inputs_at_once_are_each_alone():
    for count in (0, 20, PENDING, PENDING + 9):
        regression, _, _, x, _ = problem(max(count, 1))
        alone = np.array([regression.deviation(row) for row in x])
        np.testing.assert_allclose(regression.deviation(x), alone, rtol=1e-12)
        assert regression.deviation(x).shape == (len(x), TARGETS)


def test_widened_it_is_as_if_the_new_inputs_had_been_zero_all_along():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(90, SIZE)), rng.normal(size=(90, 1))
    x[:PENDING, 4:] = 0.0
    whole = BayesianRegression(np.zeros((SIZE, 1)), 0.7, np.ones(1))
    late = BayesianRegression(np.zeros((4, 1)), 0.7, np.ones(1))
    for step, (inputs, targets) in enumerate(zip(x, y, strict=True)):
        whole.learn(inputs, targets)
        if step == PENDING:  # where the one folds anyway, the other folds to be widened
            late.widen(SIZE - 4)
        late.learn(inputs[: len(late.weights)], targets)
    np.testing.assert_allclose(late.weights, whole.weights, rtol=0, atol=1e-10)
    np.testing.assert_allclose(late.covariance, whole.covariance, rtol=0, atol=1e-10)


def test_inputs_of_the_oddest_scales_lose_few_digits():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(120, 3)) + np.array([7e5, 40.0, 1.0])
    y = 40.0 + rng.normal(size=(120, 1))
    regression = BayesianRegression(np.zeros((3, 1)), 1.0, np.ones(1))
    for inputs, targets in zip(x, y, strict=True):
        regression.learn(inputs, targets)
    stacked = np.vstack([x, np.eye(3)])
    best = np.linalg.lstsq(stacked, np.vstack([y, np.zeros((3, 1))]), rcond=None)[0]
    np.testing.assert_allclose(regression.predict(x), x @ best, rtol=1e-6)


def test_the_order_of_the_labels_matters_only_to_rounding():
    regression, prior, noise, x, y = problem(50)
    backwards = BayesianRegression(prior, 0.7, noise)
    for inputs, targets in zip(x[::-1], y[::-1], strict=True):
        backwards.learn(inputs, targets)
    np.testing.assert_allclose(backwards.weights, regression.weights, rtol=0, atol=1e-10)
    np.testing.assert_allclose(backwards.residual, regression.residual, rtol=1e-10)


def test_doubt_shrinks_where_it_has_learned_and_covers_what_it_should():
    rng = np.random.default_rng(8)
    weights = rng.normal(size=(SIZE, 1))
    regression = BayesianRegression(np.zeros((SIZE, 1)), 1.0, np.array([0.5]))
    at = rng.normal(size=SIZE)
    held, before = 0, regression.deviation(at)[0]
    x = rng.normal(size=(3_000, SIZE))
    for inputs in x:
        target = inputs @ weights + 0.3 * rng.normal(size=1)
        error = target - regression.predict(inputs)
        held += abs(error[0]) <= 1.2816 * regression.deviation(inputs)[0]
        regression.learn(inputs, target)
    assert regression.deviation(at)[0] < before
    assert regression.deviation(at)[0] == pytest.approx(0.3, rel=0.05)
    assert held / len(x) == pytest.approx(0.8, abs=0.03)


def test_ten_thousand_alike_labels_keep_the_covariance_sound():
    rng = np.random.default_rng(3)
    regression = BayesianRegression(np.zeros((SIZE, 1)), 0.2, np.array([0.5]))
    same = rng.normal(size=SIZE) * 3.0
    for _ in range(10_000):
        regression.learn(same + 1e-6 * rng.normal(size=SIZE), np.array([0.25]))
    covariance = regression.covariance
    assert np.abs(covariance - covariance.T).max() < 1e-9
    assert np.linalg.eigvalsh(covariance).min() > 0.0
    assert regression.predict(same)[0] == pytest.approx(0.25, abs=1e-3)


def test_noise_of_another_length_is_refused():
    with pytest.raises(ValueError, match="one value a target"):
        BayesianRegression(np.zeros((4, 2)), 1.0, np.ones(3))


def test_the_arrays_given_are_not_changed():
    prior, noise = np.ones((SIZE, 1)), np.ones(1)
    inputs, targets = np.full(SIZE, 0.5), np.array([2.0])
    regression = BayesianRegression(prior, 1.0, noise)
    regression.learn(inputs, targets)
    assert (prior == 1.0).all()
    assert (noise == 1.0).all()
    assert (inputs == 0.5).all()
    assert (targets == 2.0).all()


@given(
    rows=st.lists(st.lists(st.floats(-6.0, 6.0), min_size=2, max_size=2), min_size=1, max_size=30),
    target=st.floats(-1.0, 1.0),
)
def test_any_features_within_the_limits_equal_the_batch(rows, target):
    x = np.array(rows)
    regression = BayesianRegression(np.zeros((2, 1)), 0.2, np.array([0.5]))
    for inputs in x:
        regression.learn(inputs, np.array([target]))
    gram = x.T @ x + 0.2 * np.eye(2)
    expected = np.linalg.solve(gram, x.T @ np.full(len(x), target))
    np.testing.assert_allclose(regression.weights[:, 0], expected, rtol=0, atol=1e-8)
    assert (regression.deviation(x[0]) > 0.0).all()


@pytest.mark.parametrize(("strength", "length"), [(1.0, 1.0), (0.2, 1.0), (0.01, 10.0)])
def test_thousands_of_identical_inputs_leave_the_mean_on_the_batch(
    strength: float, length: float
) -> None:
    """In closed form: W = x sum(y)' / (strength + n x'x).

    A million leave it within 2e-12, and within 3e-8 for the last, whose x'x is 160,000 strengths.
    """
    rng = np.random.default_rng(0)
    inputs = length * rng.normal(size=16)
    regression = BayesianRegression(np.zeros((16, 2)), strength, np.full(2, 0.3))
    targets = np.array([0.5, -0.2]) + 0.1 * rng.normal(size=(10_000, 2))
    for target in targets:
        regression.learn(inputs, target)
    batch = np.outer(inputs, targets.sum(axis=0) / (strength + 10_000 * inputs @ inputs))
    assert np.abs(regression.weights - batch).max() < 1e-10
