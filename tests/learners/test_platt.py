"""Confidence (Han et al. 2013) against scipy's minimizer and a plain Platt scaling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration

from streamer.learners.platt import (
    PRIOR_SLOPE,
    PRIOR_WEIGHT,
    binary_label,
    confidence,
    fit_sigmoid,
)


def labelled_outputs(seed, count=40, noise=0.8):
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(count) < 0.4, 1.0, -1.0)
    labels[:2] = 1.0, -1.0
    return 0.6 * labels + noise * rng.normal(size=count), labels


def plain_loss(point, outputs, labels, prior_weight):
    """Platt 1999, section 2.2, with his targets, and the normal prior; one output at a time."""
    positives = sum(1 for label in labels if label > 0)
    negatives = len(labels) - positives
    loss = 0.5 * prior_weight * ((point[0] - PRIOR_SLOPE) ** 2 + point[1] ** 2)
    for output, label in zip(outputs, labels, strict=True):
        target = (positives + 1) / (positives + 2) if label > 0 else 1 / (negatives + 2)
        chance = expit(-(point[0] * output + point[1]))
        chance = min(max(chance, 1e-300), 1 - 1e-16)
        loss -= target * np.log(chance) + (1 - target) * np.log(1 - chance)
    return loss


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prior_weight", [0.0, PRIOR_WEIGHT, 10.0])
def test_the_fit_is_the_minimum_that_scipy_finds(seed, prior_weight):
    outputs, labels = labelled_outputs(seed)
    found = fit_sigmoid(outputs, labels, prior_weight)
    best = minimize(
        plain_loss, (0.0, 0.0), (outputs, labels, prior_weight), method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5_000},
    )  # fmt: skip
    assert plain_loss(found, outputs, labels, prior_weight) <= best.fun + 1e-9
    np.testing.assert_allclose(found, best.x, rtol=0, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prior_weight", [0.0, PRIOR_WEIGHT])
def test_the_fit_is_the_optimum_to_the_sixth_decimal(seed, prior_weight):
    outputs, labels = labelled_outputs(seed)
    best = minimize(
        plain_loss, (-1.0, 0.0), (outputs, labels, prior_weight), method="BFGS",
        jac="3-point", options={"gtol": 1e-9},
    )  # fmt: skip
    found = fit_sigmoid(outputs, labels, prior_weight)
    np.testing.assert_allclose(found, best.x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_without_the_prior_it_is_the_scaling_of_scikit_learn(seed):
    outputs, labels = labelled_outputs(seed)
    theirs = _SigmoidCalibration().fit(outputs, labels)
    slope, offset = fit_sigmoid(outputs, labels, prior_weight=0.0)
    np.testing.assert_allclose((slope, offset), (theirs.a_, theirs.b_), rtol=0, atol=1e-3)
    unseen = np.linspace(-3, 3, 41)
    np.testing.assert_allclose(
        confidence(unseen, slope, offset), theirs.predict(unseen), rtol=0, atol=1e-3
    )


def test_no_label_gives_the_prior_and_few_keep_the_slope_the_right_way():
    assert fit_sigmoid(np.zeros(0), np.zeros(0)) == (PRIOR_SLOPE, 0.0)
    slope, _ = fit_sigmoid(np.array([0.3, -0.2]), np.array([-1.0, 1.0]))
    assert slope < 0.0


def test_separable_outputs_stay_finite_without_a_prior():
    slope, offset = fit_sigmoid(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([-1, -1, 1, 1.0]), 0.0)
    assert np.isfinite([slope, offset]).all()
    assert slope < 0.0


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.sampled_from([-1.0, 1.0])), min_size=0, max_size=60)
)
def test_any_outputs_give_a_finite_fit_no_worse_than_the_prior(pairs):
    outputs = np.array([output for output, _ in pairs])
    labels = np.array([label for _, label in pairs])
    found = fit_sigmoid(outputs, labels)
    assert np.isfinite(found).all()
    reached = plain_loss(found, outputs, labels, PRIOR_WEIGHT)
    assert reached <= plain_loss((PRIOR_SLOPE, 0.0), outputs, labels, PRIOR_WEIGHT) + 1e-6


def test_confidence_is_equation_two_and_never_overflows():
    assert confidence(0.3, -2.0, 0.1) == pytest.approx(1 / (1 + np.exp(-2.0 * 0.3 + 0.1)))
    extreme = confidence(np.array([-1e308, 0.0, 1e308]), -1.0, 0.0)
    np.testing.assert_allclose(extreme, [0.0, 0.5, 1.0], atol=1e-200)


@pytest.mark.parametrize(
    ("value", "sign"), [(-1.0, -1.0), (-1e-9, -1.0), (0.0, -1.0), (1e-9, 1.0), (1.0, 1.0)]
)
def test_zero_belongs_to_the_negative_class(value, sign):
    assert binary_label(value) == sign
