"""The minimizers on functions whose minimum is known."""

import numpy as np
import pytest
import scipy.optimize

from streamer.learners.descent import minimize, minimize_newton


def bowl(steepness):
    """0.5 (x - 1)' diag(steepness) (x - 1), for each of two columns."""

    def loss(point):
        off = point - 1.0
        return 0.5 * float((steepness[:, None] * off * off).sum()), steepness[:, None] * off

    return loss


@pytest.mark.parametrize("steepness", [[1.0, 1.0, 1.0], [1e-3, 1.0, 1e3]])
def test_a_bowl_is_descended_to_its_bottom(steepness):
    steepness = np.array(steepness)
    loss, start = bowl(steepness), np.full((3, 2), 5.0)
    found = minimize(loss, start, np.eye(3), 1e-10)
    np.testing.assert_allclose(found, 1.0, atol=1e-6)
    whole = np.diag(np.repeat(steepness, 2))
    np.testing.assert_allclose(minimize_newton(loss, lambda _: whole, start, 1e-10), 1.0, atol=1e-6)


def test_it_steps_back_where_a_full_step_goes_too_far():
    def loss(point):  # convex; Newton's full step from 3 overshoots without end
        return float(np.logaddexp(point, -point).sum()), np.tanh(point)

    curvature = lambda point: np.diag(1.0 / np.cosh(point.ravel()) ** 2)  # noqa: E731
    assert minimize_newton(loss, curvature, np.array([[3.0]]), 1e-9) == pytest.approx(0.0, abs=1e-8)
    far = minimize(loss, np.array([[3.0]]), np.array([[1e3]]), 1e-9)
    assert far == pytest.approx(0.0, abs=1e-8)


def test_a_sum_of_powers_has_the_minimum_that_scipy_finds():
    rng = np.random.default_rng(0)
    slopes, wanted = rng.normal(size=(50, 6)), rng.normal(size=6)

    def loss(point):
        powers = np.exp(slopes @ point[:, 0] / 3.0)
        gradient = slopes.T @ powers / 3.0 + point[:, 0] - wanted
        return float(powers.sum() + 0.5 * ((point[:, 0] - wanted) ** 2).sum()), gradient[:, None]

    best = scipy.optimize.minimize(
        lambda w: loss(w[:, None])[0], np.zeros(6), jac=lambda w: loss(w[:, None])[1][:, 0],
        method="BFGS", options={"gtol": 1e-9},
    )  # fmt: skip
    found = minimize(loss, np.zeros((6, 1)), np.eye(6), 1e-9)
    np.testing.assert_allclose(found[:, 0], best.x, atol=1e-7)


def test_at_the_minimum_already_it_stays():
    start = np.ones((2, 1))
    assert minimize(bowl(np.ones(2)), start, np.eye(2), 1e-9) is start
