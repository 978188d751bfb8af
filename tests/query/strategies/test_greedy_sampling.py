"""GSx, GSy, iGS, MTiGS and CTiGS: worked by hand, and against scikit-activeml's."""

import numpy as np
import pytest

from streamer.query.strategies import make_strategy
from streamer.query.strategy import ClassChances, Labelled
from tests.model_views import Given

RNG = np.random.default_rng(0)
NAN = np.nan
# Two answered ones at (0, 0) and (4, 0), two candidates at (3, 4) and (0, 1).
ANSWERED = Labelled(
    np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([[0.0, -0.5, NAN], [1.0, 0.5, NAN]]), [None, None]
)
CANDIDATES = np.array([[3.0, 4.0], [0.0, 1.0]])
PREDICTED = np.array([[0.4, 0.1, 0.0], [-0.2, 0.5, 0.0]])
HERE = Given(predicted=PREDICTED, answers=ANSWERED)

R17, R18 = np.sqrt(17.0), np.sqrt(18.0)


@pytest.mark.parametrize(
    ("name", "dimensions", "by_hand"),
    [
        # d^x: 5 and root 17; 1 and root 17.
        ("gsx", ["valence"], [R17, 1.0]),
        # d^y of valence: 0.4 and 0.6; 0.2 and 1.2.
        ("gsy", ["valence"], [0.4, 0.2]),
        ("igs", ["valence"], [5 * 0.4, 1 * 0.2]),
        # d^y of arousal: 0.6 and 0.4; 1.0 and 0.0.
        ("igs", ["arousal"], [0.4 * R17, 0.0]),
        # Equation 11: d^x times 0.4 * 0.6 and 0.6 * 0.4; 0.2 * 1.0 and 1.2 * 0.0.
        ("mtigs", ["valence", "arousal"], [0.24 * R17, 0.0]),
        # Over two dimensions as a distance: root(0.16 + 0.36) and root(0.36 + 0.16); and
        # root(0.04 + 1) and root(1.44 + 0).
        ("gsy", ["valence", "arousal"], [np.sqrt(0.52), np.sqrt(1.04)]),
        ("igs", ["valence", "arousal"], [np.sqrt(0.52) * R17, np.sqrt(1.04)]),
    ],
)
def test_by_hand(name, dimensions, by_hand):
    scores = make_strategy(name, dimensions)(CANDIDATES, HERE, RNG)
    np.testing.assert_allclose(scores.values, by_hand, atol=1e-8)
    assert scores.reason == "far from all that is answered"


def test_an_utterance_that_leaves_a_dimension_unanswered_does_not_count():
    answers = np.array([[0.0, NAN, NAN], [1.0, 0.5, NAN]])
    here = Given(predicted=PREDICTED, answers=Labelled(ANSWERED.features, answers, [None] * 2))
    scores = make_strategy("mtigs")(CANDIDATES, here, RNG)
    np.testing.assert_allclose(scores.values, [0.24 * R17, 0.0], atol=1e-8)
    both = make_strategy("igs", ["valence"])(CANDIDATES, here, RNG)
    np.testing.assert_allclose(both.values, [5 * 0.4, 1 * 0.2], atol=1e-8)


def test_before_any_answer_from_the_middle_outwards():
    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [7.0, 0.0], [10.0, 0.0]])
    here = Given(predicted=np.zeros((5, 3)))
    for name in ("gsx", "gsy", "igs", "mtigs"):
        batch = make_strategy(name).take(line, here, 4, RNG)
        # The mean is 4: 2 is nearest, 10 farthest from it, 7 from both... 3 away, 0 is 2 away.
        assert list(batch.indices) == [2, 4, 3, 0], name
        assert batch.scores.reason == "spread over the buffer (no labels yet)"


def test_what_is_taken_counts_as_answered_with_its_prediction():
    # Two equal candidates far away, one nearer: after one of the two, the other teaches nothing.
    rows = np.array([[9.0, 9.0], [9.0, 9.0], [0.0, 3.0]])
    here = Given(
        predicted=np.array([[0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.2, 0.0, 0.0]]), answers=ANSWERED
    )
    for name in ("gsx", "igs"):
        batch = make_strategy(name, ["valence"]).take(rows, here, 3, RNG)
        assert list(batch.indices) == [0, 2, 1], name
        assert batch.scores.values[1] == 0.0


def test_ctigs_looks_at_those_of_the_same_name_only():
    class ByPlace(Given):
        def classes(self, features):
            # Right of x = 1: happy. The answered: angry, happy; the candidates: happy, angry.
            happy = (features[:, 0] > 1.0).astype(float)
            return ClassChances(np.stack([1.0 - happy, happy], axis=1), ("angry", "happy"))

    here = ByPlace(predicted=PREDICTED, answers=ANSWERED)
    scores = make_strategy("ctigs", ["valence"])(CANDIDATES, here, RNG)
    np.testing.assert_allclose(scores.values, [0.6 * R17, 1 * 0.2], atol=1e-8)
    only_angry = Labelled(ANSWERED.features[:1], ANSWERED.answers[:1], [None])
    scores = make_strategy("ctigs", ["valence"])(
        CANDIDATES, ByPlace(predicted=PREDICTED, answers=only_angry), RNG
    )
    np.testing.assert_allclose(scores.values, [0.4 * 5, 1 * 0.2], atol=1e-8)


def test_ctigs_without_classes_is_random_and_says_why():
    scores = make_strategy("ctigs")(CANDIDATES, HERE, np.random.default_rng(0))
    assert scores.at_random
    assert scores.reason == "at random: fewer than two emotions have labels"


@pytest.fixture
def pool():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(30, 4))
    truth = rng.uniform(-1, 1, 30)
    return rows, truth, np.arange(6), np.arange(6, 30)


def given_by_ridge(pool):
    rows, truth, known, left = pool
    from sklearn.linear_model import Ridge

    means = Ridge().fit(rows[known], truth[known]).predict(rows[left])
    answers = np.full((len(known), 3), NAN)
    answers[:, 0] = truth[known]
    predicted = np.zeros((len(left), 3))
    predicted[:, 0] = means
    return Given(predicted=predicted, answers=Labelled(rows[known], answers, [None] * len(known)))


@pytest.mark.parametrize(("name", "method"), [("gsx", None), ("gsy", "GSy"), ("igs", "GSi")])
def test_scores_as_scikit_activeml(pool, name, method):
    pytest.importorskip("skactiveml", reason="scikit-activeml is not installed: an oracle")
    from skactiveml.pool import GreedySamplingTarget, GreedySamplingX
    from skactiveml.regressor import SklearnRegressor
    from sklearn.linear_model import Ridge

    rows, truth, known, left = pool
    targets = np.full(len(rows), NAN)
    targets[known] = truth[known]
    if method is None:
        oracle = GreedySamplingX(random_state=0)
        chosen, utilities = oracle.query(rows, targets, batch_size=5, return_utilities=True)
    else:
        oracle = GreedySamplingTarget(method=method, random_state=0)
        reg = SklearnRegressor(Ridge(), random_state=0)
        chosen, utilities = oracle.query(rows, targets, reg=reg, return_utilities=True)
    here = given_by_ridge(pool)
    batch = make_strategy(name, ["valence"]).take(rows[left], here, len(chosen), RNG)
    alone = make_strategy(name, ["valence"])(rows[left], here, RNG)
    np.testing.assert_allclose(alone.values, utilities[0][left], rtol=1e-8)
    assert [int(left[index]) for index in batch.indices] == list(chosen)
