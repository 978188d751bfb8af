"""Enrollment and verification: distances by scipy, thresholds by trying them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from streamer.learners.prototypes import (
    COHORT,
    DOUBT,
    MAXIMUM_THRESHOLD,
    NOBODY,
    UNCALIBRATED_THRESHOLD,
    Population,
    build_prototypes,
    calibrate,
    cosine_distance,
    open_set_false_accepts,
    sounds_like,
    verify,
)

DISTANCES = st.lists(st.floats(0.0, 2.0).map(lambda value: round(value, 3)), min_size=1, max_size=9)


def clouds(seed=0, count=10, size=8, spread=0.4):
    """Vectors around random directions, all moved by what the voice always has."""
    rng = np.random.default_rng(seed)
    usual = 5.0 * rng.normal(size=size)
    around = {name: rng.normal(size=size) for name in ("anger", "joy", "neutral")}
    enrolled = {
        name: usual + middle + spread * rng.normal(size=(count, size))
        for name, middle in around.items()
    }
    return enrolled, usual, around


def units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def error_rates(genuine, impostors, threshold):
    rejected = sum(1 for distance in genuine if distance > threshold) / len(genuine)
    accepted = sum(1 for distance in impostors if distance <= threshold) / len(impostors)
    return rejected, accepted


def test_distance_is_that_of_scipy_and_one_for_nothing():
    rng = np.random.default_rng(1)
    vectors, direction = rng.normal(size=(20, 5)), rng.normal(size=5)
    expected = [cosine(vector, direction) for vector in vectors]
    np.testing.assert_allclose(cosine_distance(vectors, direction), expected, atol=1e-12)
    assert cosine_distance(np.zeros((1, 5)), direction).tolist() == [1.0]
    ends = cosine_distance(np.stack([direction, -direction]), direction)
    np.testing.assert_allclose(ends, [0.0, 2.0], atol=1e-12)
    assert ((ends >= 0.0) & (ends <= 2.0)).all()


@given(genuine=DISTANCES, impostors=DISTANCES)
def test_no_threshold_brings_the_error_rates_nearer_to_each_other(genuine, impostors):
    threshold, eer = calibrate(np.array(genuine), np.array(impostors))
    rejected, accepted = error_rates(genuine, impostors, threshold)
    assert eer == pytest.approx((rejected + accepted) / 2)
    assert 0.0 <= eer <= 1.0
    assert 0.0 <= threshold <= MAXIMUM_THRESHOLD
    tried = np.unique([0.0, 2.0, *genuine, *impostors])
    tried = np.minimum(np.concatenate([tried, (tried[1:] + tried[:-1]) / 2]), MAXIMUM_THRESHOLD)
    # The sum of the two rates breaks ties, and may cost a thousandth of itself.
    best = min(
        abs(r - a) + 1e-3 * (r + a) for r, a in (error_rates(genuine, impostors, t) for t in tried)
    )
    assert abs(rejected - accepted) + 1e-3 * (rejected + accepted) <= best + 1e-9


def test_apart_they_are_told_apart_and_mixed_they_are_not():
    assert calibrate(np.array([0.1, 0.2]), np.array([0.6, 0.9])) == (pytest.approx(0.4), 0.0)
    same = np.linspace(0.1, 0.9, 9)
    threshold, eer = calibrate(same, same)
    assert eer == pytest.approx(0.5)
    assert 0.1 <= threshold <= 0.9


def test_without_impostors_or_genuine_ones_there_is_no_error_rate():
    assert calibrate(np.zeros(0), np.array([0.5])) == (UNCALIBRATED_THRESHOLD, None)
    # However alike the examples are, nothing tells yet what is unlike them.
    assert calibrate(np.zeros(2), np.zeros(0)) == (UNCALIBRATED_THRESHOLD, None)
    threshold, eer = calibrate(np.array([0.1, 0.68]), np.zeros(0))
    assert eer is None
    assert 0.7 < threshold <= MAXIMUM_THRESHOLD
    assert calibrate(np.array([1.9]), np.zeros(0))[0] <= MAXIMUM_THRESHOLD


def test_a_prototype_is_the_direction_of_its_mean_beside_the_usual():
    enrolled, usual, _ = clouds()
    found = build_prototypes(enrolled, usual)
    for name, vectors in enrolled.items():
        mean = units(vectors - usual).mean(axis=0)
        np.testing.assert_allclose(found[name].mean, mean / np.linalg.norm(mean), rtol=1e-12)
        assert found[name].count == len(vectors)


def test_thresholds_come_from_vectors_that_do_not_vouch_for_themselves():
    enrolled, usual, _ = clouds(seed=3, spread=1.0)
    for name, prototype in build_prototypes(enrolled, usual).items():
        own = units(enrolled[name] - usual)
        genuine = [cosine(own[i], np.delete(own, i, axis=0).mean(axis=0)) for i in range(len(own))]
        impostors = [
            cosine(vector - usual, own.mean(axis=0))
            for other, vectors in enrolled.items()
            if other != name
            for vector in vectors
        ]
        threshold, eer = calibrate(np.array(genuine), np.array(impostors))
        assert prototype.threshold == pytest.approx(threshold, abs=1e-9)
        assert prototype.eer == pytest.approx(eer)


def test_new_utterances_find_their_emotion_and_strangers_find_none():
    enrolled, usual, around = clouds(seed=4)
    prototypes = build_prototypes(enrolled, usual)
    rng = np.random.default_rng(7)
    for name, middle in around.items():
        verdict = verify(usual + middle + 0.1 * rng.normal(size=8), prototypes, usual)
        assert verdict.emotion == name
        assert verdict.distance == min(verdict.distances.values()) == verdict.distances[name]
        assert set(verdict.distances) == set(around)
    away = usual - sum(around.values())
    stranger = verify(away, prototypes, usual)
    assert stranger.emotion is None
    assert stranger.distance == min(stranger.distances.values())


def test_nothing_enrolled_is_no_verdict():
    assert build_prototypes({}, np.zeros(3)) == {}
    verdict = verify(np.ones(3), {}, np.zeros(3))
    assert (verdict.emotion, verdict.distance, dict(verdict.distances)) == (None, None, {})


@pytest.mark.parametrize("vectors", [np.zeros((1, 3)), np.zeros((4, 3)), np.ones((2, 3)) * 1e30])
def test_degenerate_vectors_give_finite_thresholds(vectors):
    found = build_prototypes({"flat": vectors, "other": np.eye(3)}, np.zeros(3))
    for prototype in found.values():
        assert np.isfinite(prototype.mean).all()
        assert 0.0 <= prototype.threshold <= MAXIMUM_THRESHOLD
    verdict = verify(np.zeros(3), found, np.zeros(3))
    assert all(np.isfinite(distance) for distance in verdict.distances.values())


def population_of(around, weight=2.0, threshold=0.6):
    means = {name: middle / np.linalg.norm(middle) for name, middle in around.items()}
    return Population(means, dict.fromkeys(around, threshold), weight)


def test_before_anything_is_enrolled_the_population_names_and_says_that_it_does():
    enrolled, usual, around = clouds()
    prototypes = build_prototypes({}, usual, population_of(around))
    assert {one.count for one in prototypes.values()} == {0}
    for name, vectors in enrolled.items():
        verdict = verify(vectors[0], prototypes, usual)
        assert verdict.emotion == name
        assert not verdict.own
    assert build_prototypes({}, usual, NOBODY) == {}


def test_an_enrolled_emotion_lies_between_the_population_and_its_clips():
    enrolled, usual, around = clouds(seed=3)
    population = population_of(around, weight=2.0)
    joy = enrolled["joy"][:3]
    prototypes = build_prototypes({"joy": joy}, usual, population)
    expected = 2.0 * population.means["joy"] + units(joy - usual).sum(axis=0)
    np.testing.assert_allclose(prototypes["joy"].mean, expected / np.linalg.norm(expected))
    assert prototypes["joy"].count == 3
    assert prototypes["anger"].count == 0
    assert verify(joy[0], prototypes, usual).own
    # Its threshold is, by the same weights, the population's and that of the own clips.
    wider = build_prototypes({"joy": joy}, usual, population_of(around, threshold=0.7))
    gain = wider["joy"].threshold - prototypes["joy"].threshold
    assert gain == pytest.approx(0.1 * 2 / 5)


def test_an_emotion_that_the_population_does_not_know_is_its_clips_alone():
    enrolled, usual, around = clouds()
    population = population_of({"anger": around["anger"]})
    with_it = build_prototypes({"joy": enrolled["joy"]}, usual, population)["joy"]
    alone = build_prototypes({"joy": enrolled["joy"]}, usual)["joy"]
    np.testing.assert_array_equal(with_it.mean, alone.mean)
    assert with_it.threshold == alone.threshold


def test_one_emotion_by_two_words_is_one():
    enrolled, usual, around = clouds()
    population = population_of(around)
    prototypes = build_prototypes({"angry": enrolled["anger"]}, usual, population)
    assert sorted(prototypes) == ["angry", "joy", "neutral"]
    assert prototypes["angry"].count == 10
    assert sounds_like(enrolled["joy"][:5], "angry", prototypes, usual) == "joy"


def test_five_clips_of_another_emotion_are_doubted_and_those_of_their_own_are_not():
    enrolled, usual, around = clouds(spread=0.3)
    prototypes = build_prototypes({}, usual, population_of(around))
    for name, vectors in enrolled.items():
        assert sounds_like(vectors[:5], name, prototypes, usual) is None
        for other in set(around) - {name}:
            assert sounds_like(vectors[:5], other, prototypes, usual) == name
    assert sounds_like(enrolled["joy"][:4], "anger", prototypes, usual) is None
    assert sounds_like(enrolled["joy"][:5], "glee", prototypes, usual) is None


def test_calm_and_neutral_do_not_make_each_other_doubtful():
    enrolled, usual, around = clouds()
    calm = population_of({"calm": around["joy"], "neutral": -around["joy"]})
    prototypes = build_prototypes({}, usual, calm)
    assert sounds_like(enrolled["joy"][:5], "neutral", prototypes, usual) is None
    assert cosine_distance(calm.means["calm"][None], calm.means["neutral"])[0] > DOUBT


def test_near_an_emotion_that_is_not_enrolled_the_enrolled_name_is_given_less_often():
    """Cohort normalization: what is compared is d + COHORT (1 - d of the nearest not enrolled)."""
    rng = np.random.default_rng(3)
    usual = rng.normal(size=6)
    enrolled = {"joy": usual + np.eye(6)[0] + 0.2 * rng.normal(size=(8, 6))}
    population = Population({"sadness": np.eye(6)[1]}, {"sadness": 0.01}, 1.0)
    alone, among = (build_prototypes(enrolled, usual, p) for p in (NOBODY, population))
    told = []
    for angle in np.linspace(0.0, np.pi / 4.1, 40):
        vector = usual + np.cos(angle) * np.eye(6)[0] + np.sin(angle) * np.eye(6)[1]
        verdict = verify(vector, among, usual)
        distance, other = verdict.distances["joy"], verdict.distances["sadness"]
        assert verdict.own == (distance < other)
        if verdict.own:
            near = distance + COHORT * (1.0 - other) <= among["joy"].threshold
            assert (verdict.emotion == "joy") == near
            told.append((verify(vector, alone, usual).emotion, verdict.emotion))
    assert ("joy", "joy") in told
    assert ("joy", None) in told
    assert (None, "joy") not in told


def test_an_emotion_that_was_never_enrolled_is_measured_as_one():
    """By hand: prototypes of the others alone, and every utterance of the one that is left out."""
    enrolled, usual, _ = clouds(seed=4, spread=1.5)
    means = {"anger": np.eye(8)[0], "fear": np.eye(8)[1]}
    population = Population(means, dict.fromkeys(means, 0.6), 1.0)
    for known in (NOBODY, population):
        rates = open_set_false_accepts(enrolled, usual, known)
        for name, vectors in enrolled.items():
            others = {other: its for other, its in enrolled.items() if other != name}
            prototypes = build_prototypes(others, usual, known)
            called = [verify(vector, prototypes, usual).emotion in others for vector in vectors]
            assert rates[name] == np.mean(called)
        assert set(rates) == set(enrolled)
        assert max(rates.values()) > 0.0
    assert open_set_false_accepts({"anger": enrolled["anger"]}, usual) == {}
