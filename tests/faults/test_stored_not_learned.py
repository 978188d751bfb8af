"""A label that is stored is acknowledged, whatever keeps it from being learned."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer.annotation.labels import give
from streamer.annotation.session import AnnotationSession
from streamer.errors import DiskFull
from streamer.loop.profile_model import ProfileModel
from streamer.store.labels import Labels
from streamer.store.profile import Profile
from tests.faults.conftest import fill_up
from tests.support import bound_profile, label_of, made_prior, store_utterance

SIZE = 96
# Room for a label, not for the learner, which holds three matrices of 97 x 97.
LITTLE = 120_000


def asked(folder: Path) -> Profile:
    """A profile with three questions."""
    rng = np.random.default_rng(2)
    profile = bound_profile(folder, made_prior(rng, SIZE, 4))
    numbers = [store_utterance(profile, rng.normal(size=SIZE).astype("f4")) for _ in range(3)]
    profile.utterances.select("random", "", [(n, 0.5, b"clip") for n in numbers], [], 60.0)
    return profile


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    opened = asked(tmp_path / "p")
    yield opened
    opened.close()


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """There is room for labels, but not for what they are learned with."""

    def full(*_: object) -> None:
        raise DiskFull("database or disk is full")

    monkeypatch.setattr(Labels, "learned_with", full)
    return monkeypatch


def test_where_the_learner_does_not_fit_the_label_is_learned_all_the_same(
    small_disk: Callable[[str], Path],
) -> None:
    """It is replayed from the rows by whoever opens the profile next."""
    disk = small_disk("3m")
    profile = asked(disk / "p")
    profile.database.fold_log()
    filler = fill_up(disk, LITTLE)
    assert str(give(profile, [label_of(n, valence=0.5) for n in (1, 2)])) == (
        "2 labels stored; learned, 2 labels in all"
    )
    assert profile.load_state("learner") is None
    assert profile.holder() is None
    filler.unlink()
    assert str(give(profile, [label_of(3, valence=0.1)])).endswith("learned, 3 labels in all")
    assert profile.load_state("learner") is not None
    profile.close()


def test_it_is_said_and_learned_by_the_next_command(
    profile: Profile, no_room: pytest.MonkeyPatch
) -> None:
    outcome = give(profile, [label_of(n, valence=0.5) for n in (1, 2)])
    assert str(outcome).startswith("2 labels stored; not learned yet: ")
    assert profile.labels.count() == 2
    assert profile.holder() is None
    no_room.undo()
    assert str(give(profile, [label_of(3, valence=0.1)])).endswith("learned, 3 labels in all")


def test_who_answers_is_not_asked_again(profile: Profile, no_room: pytest.MonkeyPatch) -> None:
    annotation = AnnotationSession(profile, np.random.default_rng(1), lambda: 100.0)
    saved = annotation.save(label_of(1, valence=0.5, arousal=0.5))
    assert saved.problem is not None
    assert saved.first is saved.now is None
    # The reply was lost, or was taken for an error: the same answer comes again.
    again = annotation.save(label_of(1, valence=0.5, arousal=0.5))
    assert again.first is None
    assert (profile.labels.newest(), profile.annotation_events.repeats()) == (1, [])
    no_room.undo()
    assert annotation.save(label_of(2, valence=0.5, arousal=0.5)).now is not None
    assert ProfileModel(profile).model.labels == 2


def test_the_model_of_a_loop_knows_what_is_in_the_store_and_no_more(
    profile: Profile, no_room: pytest.MonkeyPatch
) -> None:
    assert profile.take_over("streamer run", listens=True)
    profile_model = ProfileModel(profile)
    outcome = give(profile, [label_of(1, valence=0.5)], profile_model=profile_model)
    assert outcome.problem is not None
    assert (profile_model.model.labels, profile.labels.count()) == (0, 1)
    no_room.undo()
    give(profile, [label_of(2, valence=0.5)], profile_model=profile_model)
    assert profile_model.model.labels == 2
    at_once = ProfileModel(profile)
    at_once.catch_up()
    utterance = profile.utterances.get(3)
    assert at_once.model.predict(utterance) == profile_model.model.predict(utterance)
