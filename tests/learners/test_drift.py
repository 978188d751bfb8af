"""Alarms where something changed, none where nothing did, and the right one blamed."""

import numpy as np
import pytest
from river.drift import ADWIN, PageHinkley

from streamer.learners.drift import (
    EXPLAINS,
    WINDOW,
    Change,
    Drift,
    DriftDetector,
    differs,
    drifts,
    rises,
)
from tests.support import same_arrays

SIZE = 64


def levels(rng, count, mean=1.0):
    return (mean + 0.18 * rng.normal(size=count)).tolist()


def errors(rng, count, spread=0.3):
    return np.abs(spread * rng.normal(size=count)).tolist()


def watching(*parts):
    detector = DriftDetector()
    for number, value in enumerate([value for part in parts for value in part], 1):
        detector.observe(number, value)
    return detector


@pytest.mark.parametrize("signal", [levels, errors])
def test_where_nothing_changes_there_is_no_alarm(signal):
    assert watching(signal(np.random.default_rng(0), 3_000)).changes == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_level_that_rises_is_found_with_its_moment(seed):
    rng = np.random.default_rng(seed)
    (change,) = watching(levels(rng, 200), levels(rng, 60, 1.5)).changes
    assert 200 < change.found < 245
    assert abs(change.since - 201) <= 5
    assert change.before == pytest.approx(1.0, abs=0.05)
    assert change.after == pytest.approx(1.5, abs=0.3)


@pytest.mark.parametrize("seed", range(5))
def test_errors_that_grow_are_told_by_the_error(seed):
    rng = np.random.default_rng(seed)
    change = watching(errors(rng, 150), errors(rng, 150, 0.9)).changes[0]
    assert 150 < change.found < 260
    assert change.after > 2.0 * change.before


def test_an_error_that_falls_is_no_drift():
    rng = np.random.default_rng(2)
    falling = [value for spread in np.linspace(1.0, 0.2, 600) for value in errors(rng, 1, spread)]
    assert watching(falling).changes == ()


def test_a_signal_that_never_changed_may_not_change_at_all():
    assert watching([0.5] * 200).changes == ()


def test_after_an_alarm_the_new_state_is_the_usual_one():
    rng = np.random.default_rng(3)
    assert len(watching(levels(rng, 200), levels(rng, 1_000, 1.5)).changes) == 1


def test_an_error_that_rises_with_the_distance_is_put_down_to_the_voice():
    voice = [Change(100, 130, 1.0, 1.5)]
    causes = {}
    for since in (49, 50, 99 + EXPLAINS, 100 + EXPLAINS):
        found = drifts(voice, {"valence": [Change(since, since + 40, 0.2, 0.6)]})
        causes[since] = next(drift.cause for drift in found if drift.signal == "valence")
    assert list(causes.values()) == ["labels", *["voice or microphone"] * 2, "labels"]


def test_changes_come_in_the_order_in_which_they_were_found_and_say_what_they_are():
    found = drifts([Change(300, 330, 1.0, 1.5)], {"arousal": [Change(20, 60, 0.2, 0.6)]})
    assert found[0] == Drift("labels", "arousal", 20, 60, 0.2, 0.6)
    assert [str(drift) for drift in found] == [
        "labels changed at utterance 20 (error of arousal 0.20 before, 0.60 since)",
        "voice or microphone changed at utterance 300 "
        "(distance from the usual 1.00 before, 1.50 since); "
        "a mood that lasts for long or files sorted by emotion can also cause this",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_page_hinkley_finds_its_first_change_where_rivers_does(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=400) + np.repeat([0.0, rng.uniform(0.3, 2.0)], 200)
    river = PageHinkley(30, 0.5, 20.0, alpha=1.0, mode="up")
    first = None
    for count, score in enumerate(scores, 1):
        river.update(score)
        if river.drift_detected:
            first = count
            break
    ours = (count for count in range(30, len(scores) + 1) if rises(scores[:count]))
    assert next(ours, None) == first


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0])
def test_adwin_finds_its_first_change_about_where_rivers_does(shift):
    """River's looks at some of the splits only, with a slightly wider bound for short parts."""
    for seed in range(10):
        scores = np.random.default_rng(seed).normal(size=640) + np.repeat([0.0, shift], 320)
        river = ADWIN(clock=32, min_window_length=5)
        firsts = [None, None]
        for count, score in enumerate(scores, 1):
            river.update(score)
            if firsts[0] is None and river.drift_detected:
                firsts[0] = count
            if firsts[1] is None and count % 32 == 0 and differs(scores[:count]):
                firsts[1] = count
        theirs, ours = (first or 10_000 for first in firsts)
        assert ours <= theirs
        assert theirs - ours <= 64 or shift == 0.5


@pytest.mark.parametrize("heard", [0, 10, 29, 30, 31, 700, WINDOW - 1, WINDOW, WINDOW + 200])
def test_stored_and_read_again_it_finds_the_same_changes(heard):
    rng = np.random.default_rng(heard)
    detector = watching(levels(rng, heard))
    back = DriftDetector.from_arrays(detector.to_arrays())
    for number, value in enumerate([*levels(rng, 120), *levels(rng, 120, 1.5)], heard):
        detector.observe(number, value)
        back.observe(number, value)
    assert len(detector.changes) == 1
    assert detector.changes == back.changes
    again = DriftDetector.from_arrays(detector.to_arrays())
    assert same_arrays(detector.to_arrays(), back.to_arrays())
    assert again.changes == detector.changes


def test_what_is_kept_is_bounded():
    rng = np.random.default_rng(5)
    detector = watching(levels(rng, 2 * WINDOW), *(levels(rng, 100, 1.5**k) for k in range(50)))
    assert len(detector.to_arrays()["watched"]) < WINDOW
    assert len(detector.changes) == 20
