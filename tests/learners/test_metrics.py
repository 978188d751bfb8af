"""Running agreement against plain formulas over the whole sequence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from streamer.learners.metrics import RunningAgreement, concordance_cc

UNIT = st.floats(-1.0, 1.0)


def agreement_of(prediction, truth):
    agreement = RunningAgreement()
    for one, other in zip(prediction, truth, strict=True):
        agreement.observe(float(one), float(other))
    return agreement


@pytest.mark.parametrize("count", [2, 3, 50, 3_000])
@pytest.mark.parametrize("shift", [0.0, 0.4, 1e6])
def test_equals_the_whole_sequence_at_once(count, shift):
    rng = np.random.default_rng(count)
    truth = rng.normal(size=count) + shift
    prediction = 0.5 * truth + rng.normal(size=count)
    found = agreement_of(prediction, truth)
    covariance = np.mean((prediction - prediction.mean()) * (truth - truth.mean()))
    ccc = (
        2 * covariance / (prediction.var() + truth.var() + (prediction.mean() - truth.mean()) ** 2)
    )
    assert found.ccc == pytest.approx(ccc, rel=1e-8)
    assert found.cc == pytest.approx(pearsonr(prediction, truth).statistic, rel=1e-6)
    assert found.rmse == pytest.approx(math.sqrt(np.mean((prediction - truth) ** 2)), rel=1e-12)
    assert found.count == count
    assert concordance_cc(prediction, truth) == found.ccc


def test_what_is_not_defined_is_none():
    empty = RunningAgreement()
    assert (empty.ccc, empty.cc, empty.rmse, empty.count) == (None, None, None, 0)
    once = agreement_of([0.5], [0.1])
    assert (once.ccc, once.cc) == (None, None)
    assert once.rmse == pytest.approx(0.4)
    constant = agreement_of([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    assert (constant.ccc, constant.cc, constant.rmse) == (None, None, 0.0)


def test_a_constant_prediction_agrees_in_nothing():
    found = agreement_of([0.2, 0.2, 0.2], [-0.5, 0.1, 0.7])
    assert found.ccc == 0.0
    assert found.cc is None


def test_a_bias_lowers_concordance_but_not_correlation():
    truth = np.linspace(-1, 1, 21)
    found = agreement_of(truth + 0.5, truth)
    assert found.cc == pytest.approx(1.0)
    assert 0.5 < found.ccc < 0.9
    assert agreement_of(-truth, truth).ccc == pytest.approx(-1.0)


@given(st.lists(st.tuples(UNIT, UNIT), min_size=2, max_size=60))
def test_concordance_is_bounded_by_correlation(pairs):
    found = agreement_of(*zip(*pairs, strict=True))
    swapped = agreement_of(*reversed(list(zip(*pairs, strict=True))))
    if found.ccc is not None:
        assert -1.0 - 1e-9 <= found.ccc <= 1.0 + 1e-9
        assert swapped.ccc == pytest.approx(found.ccc, abs=1e-9)
    if found.ccc is not None and found.cc is not None:
        assert abs(found.ccc) <= abs(found.cc) + 1e-6


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError):
        concordance_cc(np.zeros(3), np.zeros(4))
