import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from streamer.errors import UsageError
from streamer.evaluation.significance import compare, holm, signed_rank_p


def by_enumeration(differences: np.ndarray) -> float:
    """Two-sided p: the part of all sign patterns whose rank sum is as far from the middle."""
    ranks = rankdata(np.abs(differences))
    middle = ranks.sum() / 2
    seen = abs(ranks[differences > 0].sum() - middle)
    sums = [
        np.dot(ranks, signs) for signs in itertools.product((0.0, 1.0), repeat=len(differences))
    ]
    return float(np.mean(np.abs(np.array(sums) - middle) >= seen - 1e-9))


@pytest.mark.parametrize("seed", range(5))
def test_the_signed_rank_test_is_exact_for_few_runs(seed):
    differences = np.random.default_rng(seed).normal(0.4, 1.0, size=9)
    assert signed_rank_p(differences) == pytest.approx(by_enumeration(differences), abs=1e-12)


def test_no_difference_at_all_is_no_evidence():
    assert signed_rank_p(np.zeros(8)) == 1.0


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.5: times 4, 3, 2, 1 and never falling.
    assert holm([0.03, 0.5, 0.01, 0.02]) == pytest.approx([0.06, 0.5, 0.04, 0.06])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_is_between_the_plain_value_and_bonferroni(values):
    for plain, corrected in zip(values, holm(values), strict=True):
        assert plain <= corrected <= min(1.0, len(values) * max(values)) + 1e-12
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(holm(values))[order]) >= 0).all()


def test_better_and_worse_are_marked_whichever_way_is_better():
    rng = np.random.default_rng(0)
    base = rng.normal(size=12)
    runs = {"base": base, "up": base + 0.5 + rng.random(12), "down": base - 0.5 - rng.random(12)}
    found = compare(runs, "base")
    assert (found["up"].mark, found["down"].mark) == ("+", "-")
    errors = compare(runs, "base", smaller_is_better=True)
    assert (errors["up"].mark, errors["down"].mark) == ("-", "+")


def test_runs_that_cannot_be_paired_are_refused():
    with pytest.raises(UsageError, match="cannot be paired"):
        compare({"a": np.zeros(3), "b": np.zeros(4)}, "a")
    with pytest.raises(UsageError, match="no runs of 'c'"):
        compare({"a": np.zeros(3)}, "c")
