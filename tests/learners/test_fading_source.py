"""Whose chances weigh when, and when a source may speak."""

import numpy as np

from streamer.learners.fading_source import (
    FEWEST_ANSWERS,
    SOURCE_LABELS,
    FadingClassifier,
    SourceRecord,
    source_record,
)
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.source import LabelledSource, SourceModel

ROWS = np.array([[2.0, 0.0], [1.0, 0.5], [-2.0, 0.0], [-1.0, 0.3]])


def source() -> SourceModel:
    unrated = np.full((4, 3), np.nan)
    return SourceModel(LabelledSource(ROWS, unrated, ["happy", "happy", "sad", "sad"]), ROWS)


def test_before_any_answer_it_is_the_source():
    model = source()
    fading = FadingClassifier(model, OnlineLogistic(2))
    assert fading.classes == model.classes
    np.testing.assert_allclose(fading.probabilities(ROWS), model.probabilities(ROWS))


def test_answers_weigh_by_their_number_over_the_names_of_both():
    model, own = source(), OnlineLogistic(2)
    for k in range(10):
        own.learn(np.array([2.0 - k % 2, 1.0]), "happy" if k % 2 else "bored")
    fading = FadingClassifier(model, own)
    assert fading.classes == ("happy", "sad", "bored")
    theirs, ours = model.probabilities(ROWS), own.probabilities(ROWS)
    expected = np.zeros((4, 3))
    expected[:, :2] += SOURCE_LABELS * theirs
    for k, name in enumerate(own.classes):
        expected[:, fading.classes.index(name)] += 10 * ours[:, k]
    np.testing.assert_allclose(fading.probabilities(ROWS), expected / (SOURCE_LABELS + 10))


def test_the_record_counts_what_was_said_before_the_answer():
    lessons = [(np.array([2.0, 0.0]), name) for name in ("happy", "sad", "happy", "bored", "sad")]
    record = source_record(source(), lessons)
    # It says happy each time; "bored" it does not know. The majority: none yet, happy, happy (of
    # happy and sad, the first), happy.
    assert record == SourceRecord(named=4, right=2, majority=1)
    assert record.trusted


def test_a_source_that_the_majority_beats_is_not_trusted():
    assert SourceRecord(FEWEST_ANSWERS - 1, 0, 5).trusted
    assert not SourceRecord(FEWEST_ANSWERS, 5, 5).trusted
    assert SourceRecord(FEWEST_ANSWERS, 6, 5).trusted
    assert source_record(source(), []) == SourceRecord(0, 0, 0)
