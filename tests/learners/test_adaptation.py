"""TCA and BDA against a plain transcription, and on shifts whose answer is known."""

import numpy as np
import pytest
from scipy.linalg import eigh

from streamer.errors import UsageError
from streamer.learners.adaptation import BALANCES, bda, discrepancy, principal_axes, tca
from streamer.learners.source import classify_rows


def shifted_gaussians(rng, count=120, dimensions=10):
    """Three Gaussians in ten dimensions; the target's lie elsewhere in all of them."""
    centres = rng.normal(0.0, 2.4, (3, dimensions))
    classes = np.repeat(np.arange(3), count)
    source = centres[classes] + rng.standard_normal((3 * count, dimensions))
    target = centres[classes] + rng.standard_normal((3 * count, dimensions))
    return source, classes, target + rng.normal(0.0, 3.6, dimensions)


def plain(source, target, classes, guessed, balance, penalty, components):
    """The n x n matrices as they are written down, and SciPy's generalized eigenproblem."""
    rows = np.concatenate([source, target])
    n, n_s, n_t = len(rows), len(source), len(target)
    e = np.concatenate([np.full(n_s, 1 / n_s), np.full(n_t, -1 / n_t)])
    m = np.outer(e, e)
    if balance is not None:
        m *= 1 - balance
        for kind in set(classes) & set(guessed):
            e = np.zeros(n)
            e[:n_s][classes == kind] = 1 / (classes == kind).sum()
            e[n_s:][guessed == kind] = -1 / (guessed == kind).sum()
            m += balance * np.outer(e, e)
        m /= np.linalg.norm(m)
    h = np.eye(n) - np.full((n, n), 1 / n)
    left = rows.T @ m @ rows + penalty * np.eye(rows.shape[1])
    values, vectors = eigh(left, rows.T @ h @ rows)
    # SciPy's vectors have a'X'HXa = 1; variances in proportion to 1/phi, of mean 1, are wanted.
    variances = 1.0 / values[:components]
    return vectors[:, :components] * np.sqrt(n * variances / variances.mean())


def same_up_to_sign(found, expected):
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-7 * np.abs(expected).max())


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_tca_is_the_generalized_eigenproblem(rng):
    source, _, target = shifted_gaussians(rng, 40)
    expected = plain(source, target, None, None, None, 1.0, 6)
    same_up_to_sign(tca(source, target, components=6).axes, expected)


def test_bda_is_the_generalized_eigenproblem_with_the_classes_of_the_last_step(rng):
    source, classes, target = shifted_gaussians(rng, 40)
    seen = []

    def classify(rows, kinds, others):
        seen.append(np.roll(kinds, len(seen)))
        return seen[-1]

    found = bda(source, classes, target, classify, 5, iterations=3, balances=[0.3])
    # The first answer is of the rows as they are; the third projection uses that after the second.
    expected = plain(source, target, classes, seen[2], 0.3, 1.0, 5)
    assert len(seen) == 4
    same_up_to_sign(found.adaptation.axes, expected)


def test_projected_scatter_is_diagonal_and_falls(rng):
    source, classes, target = shifted_gaussians(rng, 60)
    for adaptation in (
        tca(source, target),
        bda(source, classes, target, classify_rows, balances=[0.5]).adaptation,
        tca(source, target, kernel="rbf"),
    ):
        rows = np.concatenate([adaptation(source), adaptation(target)])
        scatter = np.cov(rows.T, bias=True)
        variances = scatter.diagonal()
        np.testing.assert_allclose(scatter, np.diag(variances), atol=1e-6 * variances[0])
        assert variances.mean() == pytest.approx(1.0)
        assert (np.diff(variances) <= 1e-9).all()


def test_a_shift_is_taken_out_as_the_penalty_goes_to_zero(rng):
    source = rng.standard_normal((90, 8))
    adaptation = tca(source, source + rng.normal(0.0, 2.0, 8), components=7, penalty=1e-10)
    means = adaptation(source).mean(axis=0), adaptation(source + 0.0).mean(axis=0)
    assert adaptation.axes.shape == (8, 7)
    np.testing.assert_array_equal(*means)
    shifted = source + rng.normal(0.0, 2.0, 8)
    adaptation = tca(source, shifted, components=7, penalty=1e-10)
    gap = adaptation(source).mean(axis=0) - adaptation(shifted).mean(axis=0)
    assert np.abs(gap).max() < 1e-8


def test_equal_distributions_lose_nothing(rng):
    source, classes, _ = shifted_gaussians(rng)
    target = source[rng.permutation(len(source))]
    adaptation = tca(source, target)
    assert np.linalg.norm(adaptation(source).mean(0) - adaptation(target).mean(0)) < 1e-9
    held, truth = source[::2], classes[::2]
    direct = classify_rows(source[1::2], classes[1::2], held)
    adapted = classify_rows(adaptation(source[1::2]), classes[1::2], adaptation(held))
    assert (adapted == truth).mean() >= (direct == truth).mean() - 0.01


def test_three_shifted_gaussians_are_found_again():
    rng = np.random.default_rng(7)
    source, classes, target = shifted_gaussians(rng)
    direct = classify_rows(source, classes, target)
    adaptation = tca(source, target)
    by_tca = classify_rows(adaptation(source), classes, adaptation(target))
    by_bda = bda(source, classes, target, classify_rows).classes
    assert (direct == classes).mean() <= 0.9
    assert (by_tca == classes).mean() >= 0.98
    assert (by_bda == classes).mean() >= 0.98


def test_balances_are_tried_in_order_and_ties_go_to_the_first(rng):
    source, classes, _ = shifted_gaussians(rng, 20)
    tried = []

    def classify(rows, kinds, others):
        tried.append(rows.shape)
        return kinds

    # The target is the source: every projection leaves a distance of exactly 0.
    found = bda(source, classes, source, classify, balances=BALANCES, iterations=2)
    assert found.balance == BALANCES[0]
    assert len(tried) == 1 + 2 * len(BALANCES)


def test_a_class_that_the_target_lacks_counts_nothing(rng):
    source, classes, target = shifted_gaussians(rng, 30)
    found = bda(source, classes, target, lambda *_: np.zeros(len(target), np.intp), iterations=1)
    assert np.isfinite(found.adaptation.axes).all()
    assert np.isfinite(discrepancy(source, classes, target, np.zeros(len(target), np.intp)))


def test_principal_axes_keep_the_part_asked_for(rng):
    rows = rng.standard_normal((400, 12)) * np.geomspace(8.0, 0.1, 12)
    mean, axes = principal_axes(rows, 0.9)
    kept = ((rows - mean) @ axes).var(axis=0).sum() / rows.var(axis=0).sum()
    _, fewer = mean, axes[:, :-1]
    without = ((rows - mean) @ fewer).var(axis=0).sum() / rows.var(axis=0).sum()
    assert kept >= 0.9 > without


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"penalty": 0.0}, "penalty = 0.0"),
        ({"kernel": "cubic"}, "cubic"),
        ({"source": np.zeros((0, 3))}, "0 source"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, value):
    given = {"source": np.ones((4, 3)), "target": np.ones((4, 3))} | change
    with pytest.raises(UsageError, match=value):
        tca(**given)


def test_too_many_rows_for_a_kernel_are_refused():
    with pytest.raises(UsageError, match="4000 rows"):
        tca(np.ones((2000, 2)), np.ones((2000, 2)), kernel="rbf")
