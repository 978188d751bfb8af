"""What several people's labels count: agreement raises it, disagreement lowers it."""

import numpy as np
import pytest

from streamer.learners.raters import (
    GOODWILL,
    HALVING_DISTANCE,
    LEAST_WEIGHT,
    SHARPNESS,
    RaterWeights,
)
from streamer.store.database import pack, unpack
from tests.support import label_of, same_arrays


def truths(count, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (count, 3))


def answered(raters, utterance, who, values, expected):
    names = ("valence", "arousal", "dominance")
    answers = dict(zip(names, map(float, np.clip(values, -1, 1)), strict=True))
    return raters.weigh(label_of(utterance, who, **answers), expected)


def test_one_person_alone_counts_in_full_whatever_they_answer():
    raters = RaterWeights()
    for number, truth in enumerate(truths(200)):
        assert answered(raters, number, "me", -truth, truth) == 1.0
    assert raters.raters()["me"].weight == 1.0
    assert raters.raters()["me"].agreement == pytest.approx(-1.0)


def test_of_two_with_opposite_scales_the_one_like_many_voices_counts():
    """Each on utterances of their own and, now and then, on the same ones."""
    rng, raters = np.random.default_rng(1), RaterWeights()
    for number, truth in enumerate(truths(60)):
        noisy = truth + 0.2 * rng.normal(size=3)
        if number % 3:
            answered(raters, number, "straight", noisy, truth)
        if number % 3 != 1:
            answered(raters, number, "turned", -noisy, truth)
    found = raters.raters()
    assert found["straight"].weight == 1.0
    assert found["turned"].weight < 0.35
    assert found["turned"].agreement < 0.0 < found["straight"].agreement
    assert found["turned"].disagreement > 0.5


def test_the_weight_is_the_cube_of_the_shrunk_correlation_over_the_highest():
    raters, rng = RaterWeights(), np.random.default_rng(2)
    pairs = {"ann": [], "ben": []}
    for number, truth in enumerate(truths(30)):
        for who, noise in (("ann", 0.1), ("ben", 1.0)):
            values = np.clip(truth + noise * rng.normal(size=3), -1, 1)
            answered(raters, 2 * number + (who == "ben"), who, values, truth)
            pairs[who] += list(zip(values[:2], truth[:2], strict=True))
    reliable = {}
    for who, rows in pairs.items():
        r = np.corrcoef(np.array(rows).T)[0, 1]
        assert raters.raters()[who].agreement == pytest.approx(r)
        reliable[who] = (GOODWILL + 30 * r) / (GOODWILL + 30)
    expected = (reliable["ben"] / reliable["ann"]) ** SHARPNESS
    assert raters.raters()["ben"].weight == pytest.approx(expected)


def test_an_answer_that_differs_from_another_counts_less():
    near, far = RaterWeights(), RaterWeights()
    zero = np.zeros(3)
    for raters, distance in ((near, 0.0), (far, HALVING_DISTANCE)):
        assert answered(raters, 1, "ann", zero - distance / 2, zero) == 1.0
        weight = answered(raters, 1, "ben", zero + distance / 2, zero)
        assert weight == pytest.approx(1.0 / (1.0 + (distance / HALVING_DISTANCE) ** 2))
    assert answered(far, 1, "eve", zero - 1.0, zero) >= LEAST_WEIGHT


def test_before_anybody_has_answered_there_is_nobody():
    assert RaterWeights().raters() == {}


def test_an_answer_is_weighed_by_what_was_known_before_it():
    raters = RaterWeights()
    assert answered(raters, 1, "me", [0.9, 0.9, 0.9], np.full(3, -0.9)) == 1.0


def test_a_dimension_without_an_answer_says_nothing():
    raters = RaterWeights()
    assert raters.weigh(label_of(1, "me", emotion="joy"), np.zeros(3)) == 1.0
    assert raters.weigh(label_of(1, "you", valence=0.5), np.zeros(3)) == 1.0
    assert raters.raters()["you"].disagreement is None


def test_its_arrays_make_it_again_and_it_goes_on_alike():
    rng, raters = np.random.default_rng(4), RaterWeights()
    rows = [(n // 2, f"person {n % 3}", rng.uniform(-1, 1, 3)) for n in range(40)]
    for utterance, who, values in rows[:25]:
        answered(raters, utterance, who, values, np.zeros(3))
    restored = RaterWeights.from_arrays(unpack(pack(raters.to_arrays())))
    assert same_arrays(restored.to_arrays(), raters.to_arrays())
    for utterance, who, values in rows[25:]:
        one = answered(raters, utterance, who, values, np.zeros(3))
        assert answered(restored, utterance, who, values, np.zeros(3)) == one
    assert same_arrays(restored.to_arrays(), raters.to_arrays())
