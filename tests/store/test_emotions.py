"""Enrolled emotions: which vectors stand for which name."""

import numpy as np
import pytest

from tests.support import label_of, store_utterance


def vector(seed):
    return np.random.default_rng(seed).normal(size=4).astype(np.float32)


@pytest.fixture
def numbers(profile):
    return [store_utterance(profile, emotion=vector(seed)) for seed in range(3)]


def same(found, seeds):
    expected = {vector(seed).astype(np.float64).tobytes() for seed in seeds}
    return {row.tobytes() for row in found} == expected and len(found) == len(seeds)


def test_files_and_utterances_stand_together_under_a_name(profile, numbers):
    profile.emotions.enroll("joy", vector(7), "a.wav", None, 1.0)
    profile.emotions.enroll("joy", vector(8), "a.wav", None, 1.0)
    profile.emotions.enroll("joy", vector(0), "mic", numbers[0], 1.0)
    profile.emotions.enroll("anger", vector(9), "b.wav", None, 1.0)
    found = profile.emotions.enrolled()
    assert list(found) == ["anger", "joy"]
    assert found["joy"].dtype == np.float64
    assert same(found["joy"], [7, 8, 0])
    assert same(found["anger"], [9])


def test_the_same_utterance_counts_once_however_often_it_is_named(profile, numbers):
    for _ in range(2):
        profile.emotions.enroll("joy", vector(0), "mic", numbers[0], 1.0)
    profile.labels.add([label_of(numbers[0], "me", emotion="joy")], 1.0)
    profile.labels.add([label_of(numbers[0], "anna", emotion="joy")], 1.0)
    assert same(profile.emotions.enrolled()["joy"], [0])


def test_a_label_enrolls_until_it_is_replaced_or_taken_back(profile, numbers):
    profile.labels.add([label_of(numbers[0], emotion="joy")], 1.0)
    profile.labels.add([label_of(numbers[1], emotion="joy")], 1.0)
    assert same(profile.emotions.enrolled()["joy"], [0, 1])
    profile.labels.add([label_of(numbers[0], emotion="anger")], 1.0)
    found = profile.emotions.enrolled()
    assert same(found["joy"], [1])
    assert same(found["anger"], [0])
    profile.labels.undo(1, 2.0)
    assert same(profile.emotions.enrolled()["joy"], [0, 1])
    profile.labels.undo(2, 2.0)
    assert profile.emotions.enrolled() == {}


def test_two_annotators_may_call_it_differently(profile, numbers):
    profile.labels.add([label_of(numbers[0], "me", emotion="joy")], 1.0)
    profile.labels.add([label_of(numbers[0], "anna", emotion="anger")], 1.0)
    assert list(profile.emotions.enrolled()) == ["anger", "joy"]


def test_a_forgotten_emotion_leaves_the_labels_and_the_others(profile, numbers):
    profile.emotions.enroll("joy", vector(7), "a.wav", None, 1.0)
    profile.labels.add([label_of(numbers[0], valence=0.5, emotion="joy")], 1.0)
    profile.labels.add([label_of(numbers[1], emotion="anger")], 1.0)
    profile.emotions.forget("joy")
    assert list(profile.emotions.enrolled()) == ["anger"]
    kept = profile.labels.effective()[0].label
    assert (kept.valence, kept.emotion) == (0.5, None)


def test_with_other_vectors_the_enrolled_utterances_follow(profile, numbers):
    profile.emotions.enroll("joy", vector(0), "mic", numbers[0], 1.0)
    profile.emotions.enroll("joy", vector(7), "a.wav", None, 1.0)
    profile.utterances.replace_vectors(numbers[0], vector(20), vector(21))
    profile.emotions.follow_utterances()
    assert same(profile.emotions.enrolled()["joy"], [21])


def test_the_order_of_enrolling_does_not_show(profile, numbers):
    for number, seed in zip(reversed(numbers), (2, 1, 0), strict=True):
        profile.emotions.enroll("joy", vector(seed), "mic", number, 1.0)
    expected = np.stack([vector(seed) for seed in range(3)]).astype(np.float64)
    assert np.array_equal(profile.emotions.enrolled()["joy"], expected)
