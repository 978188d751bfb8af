import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.evaluation.learners import EvaluatedLearner
from streamer.learners.prior import UNINFORMED_VARIANCE
from streamer.learners.scale import squash
from tests.evaluation.learnable import learnable


def taught(count: int = 200, **settings):
    material, side = learnable()
    pupil = EvaluatedLearner(material, **settings)
    for utterance in side.pool[:count]:
        pupil.learn(int(utterance))
    return pupil, material, side


def test_it_learns_dimensions_and_emotions():
    pupil, material, side = taught()
    errors = pupil.means(side.test) - material.affect[side.test]
    assert np.abs(errors).mean() < 0.15
    truth = [material.emotions[i] for i in side.test]
    assert np.mean([a == b for a, b in zip(pupil.emotions(side.test), truth, strict=True)]) > 0.85


def test_squashed_and_without_a_limit_the_mean_is_batch_ridge(monkeypatch):
    monkeypatch.setattr("streamer.learners.affect.LIMIT", np.inf)
    pupil, material, side = taught()
    inputs = np.hstack([material.features / np.sqrt(5), np.ones((len(material), 1))])
    learned = inputs[side.pool[:200]]
    strength = 1.0 / UNINFORMED_VARIANCE
    weights = np.linalg.solve(
        learned.T @ learned + strength * np.eye(6), learned.T @ material.affect[side.pool[:200], 1]
    )
    expected = squash(inputs[side.test] @ weights)
    assert pupil.means(side.test)[:, 1] == pytest.approx(expected, abs=1e-8)


def test_what_is_not_taught_is_not_learned():
    pupil, _, side = taught(taught=("arousal",))
    means = pupil.means(side.test)
    assert np.ptp(means[:, 0]) == 0.0
    assert np.ptp(means[:, 1]) > 0.1
    assert pupil.emotions(side.test) == []
    assert pupil.knowledge.classes(pupil.features[:2]) is None


def test_strategies_see_the_answers_that_were_given():
    pupil, material, side = taught(7)
    known = pupil.knowledge.labelled()
    assert known.answers == pytest.approx(material.affect[side.pool[:7]])
    assert known.features == pytest.approx(material.features[side.pool[:7]])
    assert list(known.emotions) == [material.emotions[i] for i in side.pool[:7]]


def test_squashed_scores_have_no_outliers():
    material, _ = learnable()
    pupil = EvaluatedLearner(material, "squashed")
    assert np.abs(pupil.features).max() < 2.0
    small = np.abs(material.features) < 0.1
    assert pupil.features[small] == pytest.approx(material.features[small], abs=1e-3)


def test_widened_predictions_vary_as_the_labels_do():
    material, side = learnable(noise=0.4)
    pupil = EvaluatedLearner(material)
    for utterance in side.pool:
        pupil.learn(int(utterance))
    wide = pupil.widened(side.test, side.pool, "arousal")
    plain = pupil.means(side.test)[:, 1]
    truth = material.affect[side.test, 1]
    assert plain.std() < 0.85 * truth.std()
    assert wide.std() == pytest.approx(truth.std(), rel=0.2)


def test_what_was_said_when_heard_is_not_changed_by_what_is_learned_later():
    pupil, _, side = taught(20)
    pupil.hear([300, 301])
    before = np.array(pupil.heard.means)
    for utterance in side.pool[20:60]:
        pupil.learn(int(utterance))
    assert pupil.heard.utterances == [300, 301]
    assert (np.array(pupil.heard.means) == before).all()
    assert np.abs(pupil.affect.means(pupil.features[[300, 301]]) - before).max() > 1e-3


def test_an_unknown_learner_is_refused():
    with pytest.raises(UsageError, match="plain, squashed"):
        EvaluatedLearner(learnable()[0], "clever")


@pytest.mark.parametrize("learner", ["tuned", "river:linear_model.BayesianLinearRegression"])
def test_other_regressions_learn_the_same_lessons(learner):
    pupil, material, side = taught(learner=learner)
    errors = pupil.means(side.test) - material.affect[side.test]
    assert np.abs(errors).mean() < 0.2
    assert pupil.widened(side.test, side.pool, "arousal").shape == side.test.shape
    usual, _, _ = taught()
    assert (pupil.means(side.test) != usual.means(side.test)).any()


def test_a_learner_that_river_does_not_have_is_named():
    with pytest.raises(UsageError, match="linear_model"):
        taught(learner="river:linear_model.Nothing")
