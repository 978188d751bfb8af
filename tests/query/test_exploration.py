import numpy as np
import pytest

from streamer.evaluation.metrics import ccc
from streamer.query.exploration import FEWEST, fair_agreement, labels_saved

SIZE = 20


def drawn(rng, count):
    """Predictions and truths of known concordance: 2 * 0.42 / (0.49 + 1.0) of the population."""
    plain = rng.normal(size=(count, 2))
    return 0.7 * plain[:, 0], 0.6 * plain[:, 0] + 0.8 * plain[:, 1]


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth = 2 * 0.42 / 1.49
    held = 0
    for _ in range(100):
        found = fair_agreement(*drawn(rng, 60), np.full(60, 0.1), rng)
        held += found.low <= truth <= found.high
    assert 0.82 <= held / 100 <= 0.97


def test_rare_draws_stand_for_more():
    """Half of the stream was drawn from ten times as seldom; unweighted it would be forgotten."""
    rng = np.random.default_rng(1)
    prediction, truth = drawn(rng, 22_000)
    seldom = np.arange(22_000) < 11_000
    truth[seldom] = -truth[seldom]
    propensity = np.where(seldom, 0.02, 0.2)
    taken = rng.random(22_000) < propensity
    found = fair_agreement(prediction[taken], truth[taken], propensity[taken], rng)
    assert found.ccc == pytest.approx(ccc(prediction, truth), abs=0.1)
    assert abs(ccc(prediction[taken], truth[taken])) > 0.3


def test_equal_chances_need_no_weights():
    rng = np.random.default_rng(2)
    prediction, truth = drawn(rng, 80)
    found = fair_agreement(prediction, truth, np.full(80, 0.3), rng)
    assert found.ccc == pytest.approx(ccc(prediction, truth), abs=1e-12)
    assert found.low < found.ccc < found.high


def test_it_cannot_tell_from_a_few():
    rng = np.random.default_rng(3)
    few = FEWEST - 1
    assert fair_agreement(*drawn(rng, few), np.full(few, 0.1), rng) is None
    errors = rng.random((4, few))
    assert labels_saved(errors, np.arange(4.0), errors, 5, rng) is None


def fitted(inputs, targets):
    return np.linalg.solve(inputs.T @ inputs + 2.0 * np.eye(SIZE), inputs.T @ targets)


def session(rng, worth, explored):
    """A linear world in which one label of the learner is worth `worth` of those of chance."""
    true = rng.normal(size=SIZE) / np.sqrt(SIZE)

    def answered(count):
        inputs = rng.normal(size=(count, SIZE))
        return inputs, inputs @ true + 0.8 * rng.normal(size=count)

    inputs, answers = answered(explored)
    labels = np.unique(np.geomspace(5, 3 * explored, 25).astype(int))
    chosen = answered(int(3 * explored * worth) + 1)
    own = []
    for count in labels:
        learned = round(count * worth)
        weights = fitted(chosen[0][:learned], chosen[1][:learned])
        errors = (answers - inputs @ weights) ** 2
        errors[: count // 10] = np.nan
        own.append(errors)
    half = explored // 2
    chance = []
    for _ in range(12):
        part = rng.permutation(explored)[:half]
        errors = (answers - inputs @ fitted(inputs[part], answers[part])) ** 2
        errors[part] = np.nan
        chance.append(errors)
    return np.array(own), labels.astype(float), np.array(chance), half


@pytest.mark.parametrize(("worth", "saves"), [(6.0, True), (0.3, False)])
def test_it_sees_which_way_labels_are_saved(worth, saves):
    rng = np.random.default_rng(4)
    told, right = 0, 0
    for _ in range(20):
        *errors, half = session(rng, worth, 150)
        found = labels_saved(*errors, half, rng)
        assert found.low <= found.needed <= found.high or not found.tells
        told += found.tells
        right += found.tells and (found.needed < half) == saves
    assert told >= 6
    assert right >= 0.9 * told


def test_without_a_difference_it_seldom_claims_one():
    rng = np.random.default_rng(5)
    claims = 0
    for _ in range(30):
        *errors, half = session(rng, 1.0, 150)
        claims += labels_saved(*errors, half, rng).tells
    assert claims <= 9
