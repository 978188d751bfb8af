"""A session through another microphone, and answers that come to mean the opposite, end to end."""

from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from streamer.events import Drifted, Heard
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.status import status_row
from streamer.store.profile import Profile
from streamer.terminal.tables import status_lines
from streamer.testing import synthetic_session
from streamer.types import Encoding
from tests.loop.profile_histories import fold
from tests.loop.test_session import make_session, play
from tests.support import bound_profile, label_of, same_arrays, store_utterance


def test_another_microphone_is_told_once_and_the_same_one_never(profile: Profile) -> None:
    # Not one recording again and again: what repeats itself does not move what is usual.
    sessions = [synthetic_session(np.random.default_rng(seed), 12)[0] for seed in range(6)]
    session = make_session(profile, size=1_000)
    events = [event for audio in sessions[:4] for event in play(session, audio)]
    heard = sum(isinstance(event, Heard) for event in events)
    assert heard >= 46
    assert not [event for event in events if isinstance(event, Drifted)]
    assert "drift: none" in "\n".join(status_lines(status_row(profile)))
    telephone = butter(4, [300, 3400], "bandpass", fs=16_000, output="sos")
    narrow = [sosfilt(telephone, audio).astype(np.float32) for audio in sessions[4:]]
    events = [event for audio in narrow for event in play(session, audio)]
    (drift,) = [event for event in events if isinstance(event, Drifted)]
    assert (drift.cause, drift.signal) == ("voice or microphone", "distance")
    assert heard - 1 <= drift.since <= heard + 12
    assert drift.since <= drift.found <= heard + 24
    row = status_row(profile)
    assert [one["text"] for one in row["drift"]] == [drift.text]
    assert f"drift: voice or microphone changed at utterance {drift.since} (" in "\n".join(
        status_lines(row)
    )
    # It was told: the next start knows it, and does not tell it again.
    again = ProfileModel(profile)
    assert again.new_drifts() == []
    assert [str(one) for one in again.drifts()] == [drift.text]


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
