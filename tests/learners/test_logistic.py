"""Softmax regression label by label against scikit-learn's on the whole batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from streamer.errors import UsageError
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.softmax import softmax


def labels(rng, count, size, kinds, apart=1.0):
    """Gaussian classes around random centres; no class is rare."""
    centres = np.random.default_rng(kinds).normal(size=(kinds, size)) * apart
    truth = rng.permutation(np.arange(count) % kinds)
    return centres[truth] + rng.normal(size=(count, size)), [f"class {k}" for k in truth]


def taught(x, names, penalty=1.0):
    model = OnlineLogistic(x.shape[1], penalty)
    for inputs, name in zip(x, names, strict=True):
        model.learn(inputs, name)
    return model


def by_scikit_learn(x, names, penalty, unseen, classes):
    model = LogisticRegression(C=1.0 / penalty, tol=1e-8, max_iter=10_000).fit(x, names)
    return model.predict_proba(unseen)[:, [list(model.classes_).index(c) for c in classes]]


@pytest.mark.parametrize(
    ("count", "size", "kinds"),
    [(12, 3, 2), (60, 5, 3), (90, 4, 2), (150, 40, 8), (40, 150, 4), (40, 150, 2)],
)
@pytest.mark.parametrize("penalty", [0.1, 1.0, 20.0])
def test_is_the_optimum_that_scikit_learn_finds(count, size, kinds, penalty):
    x, names = labels(np.random.default_rng(0), count, size, kinds)
    model = taught(x, names, penalty)
    unseen = 2.0 * np.random.default_rng(1).normal(size=(30, size))
    expected = by_scikit_learn(x, names, penalty, unseen, model.classes)
    np.testing.assert_allclose(softmax(model.outputs(unseen)), expected, rtol=0, atol=1e-4)


def test_it_is_at_the_optimum_after_every_label_and_however_it_was_asked():
    x, names = labels(np.random.default_rng(2), 60, 4, 3)
    asked = OnlineLogistic(4)
    for count, (inputs, name) in enumerate(zip(x, names, strict=True), start=1):
        asked.learn(inputs, name)
        answer = asked.probabilities(x)
        assert np.array_equal(answer, taught(x[:count], names[:count]).probabilities(x))
        if count in (20, 21, 47) and len(asked.classes) > 1:
            expected = by_scikit_learn(x[:count], names[:count], 1.0, x, asked.classes)
            np.testing.assert_allclose(softmax(asked.outputs(x)), expected, rtol=0, atol=1e-4)


def test_a_class_never_seen_joins_with_its_first_label():
    x, names = labels(np.random.default_rng(3), 40, 4, 2)
    model = taught(x, names)
    before = model.probabilities(x[:5])
    assert before.shape == (5, 2)
    model.learn(np.full(4, 5.0), "surprise")
    after = model.probabilities(np.full((1, 4), 5.0))
    assert model.classes[-1] == "surprise"
    assert after.shape == (1, 3)
    assert after[0, 2] > 0.5


def test_few_classes_few_answers():
    model = OnlineLogistic(2)
    assert model.classes == ()
    assert model.probabilities(np.ones((3, 2))).shape == (3, 0)
    model.learn(np.ones(2), "only")
    assert model.probabilities(np.ones((3, 2))).tolist() == [[1.0]] * 3


def log_loss(chances, classes, names):
    return -np.mean([np.log(row[classes.index(n)]) for row, n in zip(chances, names, strict=True)])


@pytest.mark.parametrize("apart", [0.1, 0.5])
def test_calibrated_chances_say_more_than_the_bare_ones(apart):
    """Few labels in many dimensions: the bare ones are too sure of themselves, or not enough."""
    calibrated, bare, sure, right = [], [], [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x, names = labels(rng, 64, 80, 3, apart)
        unseen, truth = labels(rng, 300, 80, 3, apart)
        model = taught(x, names, 0.05)
        chances = model.probabilities(unseen)
        calibrated.append(log_loss(chances, model.classes, truth))
        bare.append(log_loss(softmax(model.outputs(unseen)), model.classes, truth))
        sure.append(chances.max(axis=1).mean())
        said = np.array(model.classes)[chances.argmax(axis=1)]
        right.append((said == np.array(truth)).mean())
    assert np.mean(calibrated) < np.mean(bare)
    assert np.mean(sure) == pytest.approx(np.mean(right), abs=0.1)


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan])
def test_a_penalty_that_cannot_be_meant_is_refused(penalty):
    with pytest.raises(UsageError, match="penalty"):
        OnlineLogistic(3, penalty)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e-3, 1e-3), st.sampled_from("abcd")),
        min_size=1,
        max_size=24,
    )
)
def test_any_labels_give_rows_that_sum_to_one(triples):
    model = OnlineLogistic(2)
    for one, other, name in triples:
        model.learn(np.array([one, other]), name)
    chances = model.probabilities(np.array([[0.0, 0.0], [1e3, 0.0], [-1e3, 1e3]]))
    assert np.isfinite(chances).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    assert set(model.classes) == {name for _, _, name in triples}
