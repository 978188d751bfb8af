"""A session through another microphone, and answers that come to mean the opposite, end to end."""

from pathlib import Path

import numpy as np

from streamer.learners.drift import Drift
from streamer.learners.prior import Prior
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.status import status_row
from streamer.terminal.tables import status_lines
from streamer.types import Encoding
from tests.loop.profile_histories import fold
from tests.support import bound_profile, label_of, same_arrays, store_utterance


def test_another_microphone_is_told_once_and_the_same_one_never(tmp_path: Path) -> None:
    """By way of the store, as a run goes; `benchmarks.drift` does it with real microphones."""
    prior = Prior.uninformed(16, 4)
    profile, rng = bound_profile(tmp_path / "p", prior), np.random.default_rng(1)
    profile_model = ProfileModel(profile)
    moved = np.where(np.arange(16) % 2, 0.9, -0.9)

    def hear(count: int, shift: np.ndarray) -> list[Drift]:
        found = []
        for _ in range(count):
            embedding = (rng.normal(size=16) + shift).astype(np.float32)
            with profile.database.transaction():
                profile_model.adapt(Encoding(embedding, np.ones(4, np.float32)))
                store_utterance(profile, embedding, np.ones(4, np.float32))
            found += profile_model.new_drifts()
        return found

    assert hear(300, np.zeros(16)) == []
    assert "drift: none" in "\n".join(status_lines(status_row(profile)))
    (drift,) = hear(90, moved)
    assert (drift.cause, drift.signal) == ("voice or microphone", "distance")
    assert abs(drift.since - 301) <= 10
    assert 301 < drift.found <= 360
    row = status_row(profile)
    assert [one["text"] for one in row["drift"]] == [str(drift)]
    assert f"drift: voice or microphone changed at utterance {drift.since} (" in "\n".join(
        status_lines(row)
    )
    # It was told: the next start knows it, and does not tell it again.
    again = ProfileModel(profile)
    assert again.new_drifts() == []
    assert again.drifts() == [drift]
    profile.close()


def test_answers_that_come_to_mean_the_opposite_are_told_and_taken_back(tmp_path: Path) -> None:
    profile, rng = bound_profile(tmp_path / "p"), np.random.default_rng(1)
    profile_model = ProfileModel(profile)
    values = {}
    for _ in range(160):
        embedding, emotion = rng.normal(size=6).astype(np.float32), rng.normal(size=4)
        profile_model.adapt(Encoding(embedding, emotion.astype(np.float32)))
        number = store_utterance(profile, embedding, emotion.astype(np.float32))
        values[number] = float(np.clip(0.8 * embedding[0] + 0.05 * rng.normal(), -1, 1))
    numbers = list(values)

    def answer(some: list[int], sign: float) -> None:
        labels = [label_of(n, "me", valence=sign * values[n], arousal=0.0) for n in some]
        profile.labels.add(labels, 0.0)
        profile_model.catch_up()

    answer(numbers[:100], 1.0)
    assert profile_model.new_drifts() == []
    answer(numbers[100:], -1.0)
    (drift,) = profile_model.new_drifts()
    assert (drift.cause, drift.signal) == ("labels", "valence")
    assert abs(drift.since - numbers[100]) < 5
    assert drift.after > 3.0 * drift.before
    # Killed or not, it is the fold of the rows; undone, it never was.
    again = ProfileModel(profile)
    again.catch_up()
    assert again.drifts() == [drift]
    assert same_arrays(again.model.learner.to_arrays(), fold(profile).to_arrays())
    profile.labels.undo(60, 0.0)
    profile_model.catch_up()
    assert profile_model.drifts() == []
    assert same_arrays(profile_model.model.learner.to_arrays(), fold(profile).to_arrays())
    profile.close()
