"""Han et al.'s informativeness, and the fallback while a class is missing."""

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.learners.affect import MINIMUM_PER_CLASS, AffectLearner
from streamer.learners.prior import Prior
from streamer.query.strategies import make_strategy
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.query.strategies.random_choice import RandomChoice
from tests.support import label_of

SIZE = 6


def taught(valence=30, arousal=30, seed=0):
    """A learner with so many labels of both classes in each dimension."""
    rng = np.random.default_rng(seed)
    learner = AffectLearner(Prior.uninformed(SIZE, 4))
    for step in range(max(valence, arousal)):
        features = rng.normal(size=SIZE)
        answers = {}
        if step < valence:
            answers["valence"] = float(np.clip(features[0] / 2, -1, 1))
        if step < arousal:
            answers["arousal"] = float(np.clip(features[1] / 2, -1, 1))
        learner.learn(features, label_of(step, **answers), first=True)
    return learner


def test_is_the_negative_distance_of_the_confidence_from_a_half():
    learner = taught()
    rows = np.random.default_rng(1).normal(size=(20, SIZE))
    scores = BinaryConfidence()(rows, learner, np.random.default_rng(0))
    parts = [-np.abs(learner.confidence(name, rows) - 0.5) for name in ("valence", "arousal")]
    np.testing.assert_allclose(scores.values, (parts[0] + parts[1]) / 2, rtol=1e-12)
    assert ((scores.values >= -0.5) & (scores.values <= 0.0)).all()
    assert scores.reason == "least sure of valence and arousal"


def test_is_highest_where_the_classifier_is_at_a_half():
    learner = taught()
    line = np.zeros((401, SIZE))
    line[:, 0] = np.linspace(-4, 4, 401)
    chance = learner.confidence("valence", line)
    values = BinaryConfidence(["valence"])(line, learner, np.random.default_rng(0)).values
    assert abs(chance[np.argmax(values)] - 0.5) < 0.02
    assert values.max() > -0.02
    assert values[0] < -0.4
    assert values[-1] < -0.4


def test_a_confidence_of_exactly_a_half_has_informativeness_zero():
    learner = taught()
    learner.dimensions["valence"]._sigmoid = (0.0, 0.0)
    found = BinaryConfidence(["valence"]).informativeness(np.zeros((1, SIZE)), learner)
    assert found.tolist() == [0.0]


def test_without_both_classes_it_is_random_and_says_why():
    learner = taught(0, 0)
    rows = np.zeros((8, SIZE))
    strategy = BinaryConfidence()
    some = strategy(rows, learner, np.random.default_rng(5))
    again = strategy(rows, learner, np.random.default_rng(5))
    other = strategy(rows, learner, np.random.default_rng(6))
    assert some.values.tolist() == again.values.tolist() != other.values.tolist()
    assert some.reason == (
        "at random: too few positive valence labels; too few positive arousal labels"
    )
    assert strategy.informativeness(rows, learner) is None


def test_a_dimension_that_lacks_a_class_is_left_out_and_named():
    learner = taught(valence=0, arousal=30)
    rows = np.random.default_rng(2).normal(size=(5, SIZE))
    scores = BinaryConfidence()(rows, learner, np.random.default_rng(0))
    expected = -np.abs(learner.confidence("arousal", rows) - 0.5)
    assert np.array_equal(scores.values, expected)
    assert scores.reason == "least sure of arousal (too few positive valence labels)"


def test_the_classifier_begins_with_the_last_label_it_needs():
    learner = AffectLearner(Prior.uninformed(SIZE, 4))
    rows = np.zeros((2, SIZE))
    values = [0.5] * MINIMUM_PER_CLASS + [-0.5] * MINIMUM_PER_CLASS
    for step, value in enumerate(values):
        assert learner.confidence("valence", rows) is None
        learner.learn(np.ones(SIZE) * step, label_of(step, valence=value), first=True)
    assert learner.confidence("valence", rows) is not None


def test_random_choice_is_the_generators():
    values = RandomChoice()(np.zeros((4, SIZE)), taught(0, 0), np.random.default_rng(3)).values
    assert values.tolist() == np.random.default_rng(3).random(4).tolist()


def test_an_unknown_strategy_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match=r"'rnadom'; choose one of: .*binary-confidence.*random"):
        make_strategy("rnadom")


def test_one_dimension_can_be_asked_about_alone():
    strategy = make_strategy("binary-confidence", ["arousal"])
    assert strategy.dimensions == ("arousal",)
    with pytest.raises(UsageError, match=r"dread.*valence, arousal, dominance"):
        make_strategy("random", ["dread"])
