import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, balanced_accuracy_score, root_mean_squared_error

from streamer.evaluation.metrics import cc, ccc, rmse, uar, wa
from streamer.learners.metrics import concordance_cc


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    return 0.5 * truth + rng.normal(size=200), truth


def test_correlation_and_error_are_those_of_scipy_and_scikit_learn(pairs):
    prediction, truth = pairs
    assert cc(prediction, truth) == pytest.approx(pearsonr(prediction, truth).statistic, abs=1e-12)
    assert rmse(prediction, truth) == pytest.approx(root_mean_squared_error(truth, prediction))


def test_concordance_is_that_of_the_running_one(pairs):
    assert ccc(*pairs) == pytest.approx(concordance_cc(*pairs), abs=1e-12)


def test_recall_and_accuracy_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth, prediction = rng.integers(4, size=300), rng.integers(4, size=300)
    assert uar(prediction, truth) == pytest.approx(balanced_accuracy_score(truth, prediction))
    assert wa(prediction, truth) == pytest.approx(accuracy_score(truth, prediction))


def test_a_class_that_is_never_the_truth_has_no_recall():
    assert uar(np.array([2, 2, 1]), np.array([0, 2, 1])) == pytest.approx(2 / 3)


@given(arrays(np.float64, 6, elements=st.floats(-1, 1)), st.floats(0.1, 3), st.floats(-1, 1))
def test_concordance_never_exceeds_correlation(truth, scale, offset):
    prediction = scale * truth + offset
    if truth.std() > 1e-3:
        assert ccc(prediction, truth) <= cc(prediction, truth) + 1e-9


def test_what_is_not_defined_is_nan():
    constant, nothing = np.full(1000, 0.1), np.zeros(0)
    assert np.isnan(cc(constant, np.arange(1000.0)))
    assert np.isnan(ccc(constant, constant))
    assert all(np.isnan(measure(nothing, nothing)) for measure in (ccc, cc, rmse, uar, wa))
