"""Another voice or microphone is found; moods that last are not taken for one."""

import numpy as np
import pytest

from streamer.learners import voice_drift
from streamer.learners.voice_drift import BLOCK, HISTORY, SPAN, VoiceDriftDetector
from streamer.types import Matrix
from tests.support import same_arrays

SIZE = 96
MOODS = 6


def moods(rng: np.random.Generator, length: int, voice: int) -> Matrix:
    """A voice whose emotions, each for 5 to 40 utterances, differ in three directions.

    By as many deviations in these as those of nEMO's voices do.
    """
    own = np.random.default_rng(voice)
    spread = own.normal(size=(MOODS, 3)) * (0.36, 0.2, 0.16)
    centres = 0.6 * own.normal(size=SIZE) + spread @ own.normal(size=(3, SIZE))
    rows: list[np.ndarray] = []
    while len(rows) < length:
        centre = centres[rng.integers(MOODS)]
        rows += [centre + rng.normal(size=SIZE) for _ in range(rng.integers(5, 41))]
    return np.array(rows[:length])


def heard(stream: Matrix, weight: float = 1.0) -> VoiceDriftDetector:
    detector = VoiceDriftDetector()
    for number, vector in enumerate(stream, 1):
        detector.hear(number, vector, weight)
    return detector


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e-3])
@pytest.mark.parametrize("voice", range(6))
def test_another_microphone_is_found_within_sixty_and_its_moment(voice: int, scale: float) -> None:
    rng = np.random.default_rng(voice)
    stream = moods(rng, 420, voice)
    stream[300:] += 0.8 * rng.choice([-1.0, 1.0], SIZE)
    (change,) = heard(scale * stream).changes()
    assert 300 < change.found <= 360
    assert abs(change.since - 301) <= BLOCK
    assert change.before < 0.5 < change.after


def test_moods_are_no_change_whatever_their_order() -> None:
    """Two false alarms at most in ten times 2,000 utterances, 0.2 a stream."""
    streams = [moods(np.random.default_rng(90 + voice), 2_000, voice) for voice in range(10)]
    assert sum(len(heard(stream).changes()) for stream in streams) <= 2


def test_one_recording_again_and_again_is_no_change() -> None:
    """As it weighs nothing (`RunningNormalization`), however far from the mean it lies."""
    rng = np.random.default_rng(4)
    detector = heard(moods(rng, 300, 1))
    again = 3.0 * rng.normal(size=SIZE)
    detector.hear(301, again)
    for number in range(302, 500):
        detector.hear(number, again, 0.0)
    assert detector.changes() == []


def test_single_utterances_far_away_are_no_change() -> None:
    rng = np.random.default_rng(5)
    stream = moods(rng, 600, 2)
    stream[200::50] *= 20.0
    assert heard(stream).changes() == []


def test_after_a_change_the_new_voice_is_the_usual_one() -> None:
    rng = np.random.default_rng(6)
    detector = heard(np.concatenate([moods(rng, 300, 3), moods(rng, 400, 4), moods(rng, 400, 3)]))
    assert [round(change.since, -2) for change in detector.changes()] == [300, 700]


@pytest.mark.parametrize("length", [0, 7, 10, 131, 355, 900])
def test_stored_and_read_again_it_finds_the_same(length: int) -> None:
    rng = np.random.default_rng(length)
    detector = heard(moods(rng, length, 5))
    back = VoiceDriftDetector.from_arrays(detector.to_arrays())
    for number, vector in enumerate(moods(rng, 300, 6), length + 1):
        detector.hear(number, vector)
        back.hear(number, vector)
    assert same_arrays(detector.to_arrays(), back.to_arrays())
    assert detector.changes() == back.changes()


def test_of_an_earlier_detector_the_changes_are_kept() -> None:
    changes = np.array([[3.0, 9.0, 0.1, 0.6]])
    arrays = {"watched": np.zeros((4, 2)), "recent": np.zeros(6), "changes": changes}
    (change,) = VoiceDriftDetector.from_arrays(arrays).changes()
    assert (change.since, change.found, change.after) == (3, 9, 0.6)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_drift, "THRESHOLD", 9.0)
    arrays = heard(np.random.default_rng(7).normal(size=(900, 1_024))).to_arrays()
    assert arrays["blocks"].shape == (HISTORY + SPAN, voice_drift.SKETCH)
    assert np.array_equal(arrays["blocks"].astype(np.float32), arrays["blocks"])
    assert sum(array.nbytes for array in arrays.values()) < 50_000
