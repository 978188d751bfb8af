"""Adaptive intervals: the rule itself, and the promised coverage on sequences made to break it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.learners.affect import DimensionLearner
from streamer.learners.conformal import (
    COVERAGE,
    FIRST_STEPS,
    SETTLED,
    START,
    STEP,
    AdaptiveInterval,
)
from streamer.learners.regression import BayesianRegression


def sequences():
    rng = np.random.default_rng(0)
    count = 4_000
    steps = np.arange(count)
    normal = rng.normal(size=count)
    return {
        "well described": normal,
        "ten times what was said": 10 * normal,
        "a third of what was said": normal / 3,
        "scale jumps every 300": normal * np.where(steps // 300 % 2, 5.0, 0.5),
        "scale swells": normal * (1.0 + 4.0 * np.sin(steps / 150) ** 2),
        "scale drifts away": normal * np.exp(steps / count * 2.5),
        "heavy tails": rng.standard_t(1.2, count),
        "biased": normal + 3.0,
        "bursts": np.where(rng.random(count) < 0.1, 50.0, 1.0) * normal,
        "two values": np.where(rng.random(count) < 0.5, 0.3, 3.0),
        "autocorrelated": np.convolve(normal, np.ones(25) / 5, mode="same"),
    }


@pytest.mark.parametrize("kind", sequences())
def test_long_run_coverage_is_kept_on(kind):
    interval = AdaptiveInterval()
    for error in sequences()[kind]:
        interval.observe(float(error), 1.0)
    assert interval.coverage == pytest.approx(COVERAGE, abs=0.02)


def test_coverage_recovers_within_the_last_few_hundred_after_a_shock():
    rng = np.random.default_rng(1)
    interval = AdaptiveInterval()
    for error in np.concatenate([rng.normal(size=500), 8.0 * rng.normal(size=300)]):
        interval.observe(float(error), 1.0)
    before = interval.covered
    for error in 8.0 * rng.normal(size=500):
        interval.observe(float(error), 1.0)
    assert (interval.covered - before) / 500 == pytest.approx(COVERAGE, abs=0.05)


def test_starts_at_the_normal_width_and_follows_the_rule():
    interval = AdaptiveInterval()
    assert interval.width == START
    assert interval.coverage is None
    interval.observe(10.0, 1.0)
    first = STEP * (1.0 + FIRST_STEPS)
    assert interval.width == pytest.approx(START * math.exp(first * COVERAGE))
    assert interval.coverage == 0.0
    interval.observe(0.0, 1.0)
    second = STEP * (1.0 + FIRST_STEPS / (1.0 + 1.0 / SETTLED))
    expected = START * math.exp(first * COVERAGE) * math.exp(-second * (1.0 - COVERAGE))
    assert interval.width == pytest.approx(expected)
    assert (interval.covered, interval.count) == (1, 2)


def test_an_error_at_the_edge_is_inside():
    interval = AdaptiveInterval()
    interval.observe(-2.0 * START, 2.0)
    assert interval.covered == 1


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6)), max_size=200))
def test_the_width_stays_positive_and_bounded_and_the_count_true(observations):
    interval = AdaptiveInterval()
    inside = 0
    for error, deviation in observations:
        inside += abs(error) <= interval.width * deviation
        interval.observe(error, deviation)
        assert 0.1 <= interval.width <= 20.0
    assert (interval.covered, interval.count) == (inside, len(observations))


CHANGES = {
    "nothing": lambda n, truth, noise: truth + 0.15 * noise,
    "300 equal labels": lambda n, truth, noise: 0.25 if n < 300 else truth + 0.15 * noise,
    "a flip": lambda n, truth, noise: (truth if n < 300 else -truth) + 0.15 * noise,
    "threefold noise": lambda n, truth, noise: truth + (0.15 if n < 300 else 0.45) * noise,
}


@pytest.mark.parametrize("kind", CHANGES)
def test_thirty_labels_after_a_change_the_promise_is_kept_again(kind: str) -> None:
    """By the learner of a dimension, which has to learn anew meanwhile; over 24 voices."""
    inside = []
    for voice in range(24):
        rng = np.random.default_rng(voice)
        learner = DimensionLearner(BayesianRegression(np.zeros((25, 2)), 1.0, np.array([0.3, 0.6])))
        weights = rng.normal(size=25) * 0.1
        for n in range(361):
            inputs = rng.normal(size=25)
            value = float(np.clip(CHANGES[kind](n, inputs @ weights, rng.normal()), -1.0, 1.0))
            if n > 330:
                said = learner.estimate(inputs, np.zeros(2))
                inside.append(said.low <= value <= said.high)
            learner.learn(inputs, np.zeros(2), value, n, first=True)
    assert 0.75 <= np.mean(inside) <= 0.85


def test_a_false_start_is_rare() -> None:
    rng = np.random.default_rng(3)
    interval, begun = AdaptiveInterval(), 0
    for error in rng.normal(size=10_000):
        interval.observe(float(error), 1.0)
        begun += interval._since == 0
    assert begun < 20
