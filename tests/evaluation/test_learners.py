import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.evaluation.learners import EvaluatedLearner
from streamer.learners.prior import UNINFORMED_VARIANCE
from streamer.learners.scale import squash
from tests.evaluation.learnable import learnable


def trained(count: int = 200, **settings):
    dataset, side = learnable()
    model = EvaluatedLearner(dataset, **settings)
    for utterance in side.pool[:count]:
        model.learn(int(utterance))
    return model, dataset, side


def test_it_learns_dimensions_and_emotions():
    model, dataset, side = trained()
    errors = model.means(side.test) - dataset.affect[side.test]
    assert np.abs(errors).mean() < 0.15
    truth = [dataset.emotions[i] for i in side.test]
    assert np.mean([a == b for a, b in zip(model.emotions(side.test), truth, strict=True)]) > 0.85


def test_squashed_and_without_a_limit_the_mean_is_batch_ridge(monkeypatch):
    monkeypatch.setattr("streamer.learners.affect.LIMIT", np.inf)
    model, dataset, side = trained()
    inputs = np.hstack([dataset.features / np.sqrt(5), np.ones((len(dataset), 1))])
    learned = inputs[side.pool[:200]]
    strength = 1.0 / UNINFORMED_VARIANCE
    weights = np.linalg.solve(
        learned.T @ learned + strength * np.eye(6), learned.T @ dataset.affect[side.pool[:200], 1]
    )
    expected = squash(inputs[side.test] @ weights)
    assert model.means(side.test)[:, 1] == pytest.approx(expected, abs=1e-8)


def test_what_is_not_taught_is_not_learned():
    model, _, side = trained(targets=("arousal",))
    means = model.means(side.test)
    assert np.ptp(means[:, 0]) == 0.0
    assert np.ptp(means[:, 1]) > 0.1
    assert model.emotions(side.test) == []
    assert model.knowledge.classes(model.features[:2]) is None


def test_strategies_see_the_answers_that_were_given():
    model, dataset, side = trained(7)
    known = model.knowledge.labelled()
    assert known.answers == pytest.approx(dataset.affect[side.pool[:7]])
    assert known.features == pytest.approx(dataset.features[side.pool[:7]])
    assert list(known.emotions) == [dataset.emotions[i] for i in side.pool[:7]]


def test_squashed_scores_have_no_outliers():
    dataset, _ = learnable()
    model = EvaluatedLearner(dataset, "squashed")
    assert np.abs(model.features).max() < 2.0
    small = np.abs(dataset.features) < 0.1
    assert model.features[small] == pytest.approx(dataset.features[small], abs=1e-3)


def test_widened_predictions_vary_as_the_labels_do():
    dataset, side = learnable(noise=0.4)
    model = EvaluatedLearner(dataset)
    for utterance in side.pool:
        model.learn(int(utterance))
    wide = model.widened(side.test, side.pool, "arousal")
    plain = model.means(side.test)[:, 1]
    truth = dataset.affect[side.test, 1]
    assert plain.std() < 0.85 * truth.std()
    # The noise is taken for smaller than it is, as large errors are learned as smaller ones.
    assert wide.std() == pytest.approx(truth.std(), rel=0.25)


def test_what_was_said_when_heard_is_not_changed_by_what_is_learned_later():
    model, _, side = trained(20)
    model.record_predictions([300, 301])
    before = np.array(model.arrivals.means)
    for utterance in side.pool[20:60]:
        model.learn(int(utterance))
    assert model.arrivals.utterances == [300, 301]
    assert (np.array(model.arrivals.means) == before).all()
    assert np.abs(model.affect.means(model.features[[300, 301]]) - before).max() > 1e-3


def test_an_unknown_learner_is_refused():
    with pytest.raises(UsageError, match="plain, squashed"):
        EvaluatedLearner(learnable()[0], "clever")


@pytest.mark.parametrize("learner", ["tuned", "river:linear_model.BayesianLinearRegression"])
def test_other_regressions_learn_the_same_lessons(learner):
    model, dataset, side = trained(learner=learner)
    errors = model.means(side.test) - dataset.affect[side.test]
    assert np.abs(errors).mean() < 0.2
    assert model.widened(side.test, side.pool, "arousal").shape == side.test.shape
    usual, _, _ = trained()
    assert (model.means(side.test) != usual.means(side.test)).any()


def test_a_learner_that_river_does_not_have_is_named():
    with pytest.raises(UsageError, match="linear_model"):
        trained(learner="river:linear_model.Nothing")
