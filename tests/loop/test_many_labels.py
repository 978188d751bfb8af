"""A hundred thousand labels at once: each costs what the first ones cost."""

from pathlib import Path

import pytest

from streamer.loop.profile_model import ProfileModel
from tests.support import bound_profile, label_of, store_utterance

UTTERANCES = 40


def thousands_of_steps(folder: Path, count: int, again: bool) -> int:
    """What SQLite does, in thousands of its instructions, to learn so many labels at once."""
    profile = bound_profile(folder)
    for _ in range(UTTERANCES):
        store_utterance(profile)
    labels = [
        label_of(1 + n % UTTERANCES, f"rater {n // UTTERANCES}", valence=0.5) for n in range(count)
    ]
    profile.labels.add(labels, 1.0)
    if again:
        ProfileModel(profile).catch_up()
        profile.labels.add(labels, 2.0)
    profile_model = ProfileModel(profile)
    steps = 0

    def count_steps() -> None:
        nonlocal steps
        steps += 1

    profile.database._connection.set_progress_handler(count_steps, 1000)
    profile_model.catch_up()
    profile.database._connection.set_progress_handler(None, 0)
    assert profile_model.model.labels == count
    profile.close()
    return steps


@pytest.mark.parametrize("again", [False, True])
def test_the_cost_grows_with_their_number_and_no_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """again: all of them replace others that were learned before."""
    monkeypatch.setattr("streamer.loop.profile_model.LABELS_IN_A_BATCH", 20)
    few, many = (thousands_of_steps(tmp_path / str(n), n, again) for n in (80, 320))
    assert many < 6 * few
