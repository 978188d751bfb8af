"""Answers from people: what is told back."""

import subprocess
import sys

import pytest

from streamer.annotation import labels as labelling
from streamer.errors import UsageError
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from tests.support import HOLDER, bound_profile, label_of, store_utterance


@pytest.fixture
def labelled(tmp_path):
    profile = bound_profile(tmp_path / "p")
    for _ in range(5):
        store_utterance(profile)
    yield profile
    profile.close()


def test_a_label_is_stored_and_learned_where_nobody_listens(labelled):
    told = str(labelling.give(labelled, [label_of(1, valence=0.5)]))
    assert told == "1 label stored; learned, 1 label in all"
    told = str(labelling.give(labelled, [label_of(n, arousal=4.0) for n in (2, 3)], (1.0, 5.0)))
    assert told == "2 labels stored; learned, 3 labels in all"
    profile_model = ProfileModel(labelled)
    assert profile_model.model.labels == 3
    assert labelled.labels.effective()[1].label.arousal == 0.5
    assert labelled.holder() is None


def test_where_somebody_listens_it_is_left_to_them(labelled):
    command = [sys.executable, "-c", HOLDER, str(labelled.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        told = str(labelling.give(labelled, [label_of(1, valence=0.5)]))
        assert told == "1 label stored; the listening session learns it"
        assert labelling.take_back(labelled, 1).endswith(
            "(#1 by me); the listening session learns it"
        )
        holder.communicate("go\n")
    assert labelled.labels.log()[0].features is None


def test_an_answer_in_place_of_an_earlier_one_is_told(labelled: Profile) -> None:
    told = str(labelling.give(labelled, [label_of(1, emotion="joy"), label_of(1, valence=0.1)]))
    assert told.startswith("2 labels stored, 1 in place of an earlier one; ")


def test_only_those_of_the_annotator_named_are_taken_back(labelled: Profile) -> None:
    labelling.give(labelled, [label_of(1, valence=0.3), label_of(1, "bob", valence=0.1)])
    assert "by me" in labelling.take_back(labelled, 1, "me")
    assert labelling.take_back(labelled, 1, "carol") == "there is no label to take back"
    assert "#1 by bob" in labelling.take_back(labelled, 1)


def test_taking_back_names_what_was_taken(labelled):
    labelling.give(labelled, [label_of(n, valence=0.5) for n in (1, 3, 4)])
    assert labelling.take_back(labelled, 2) == (
        "2 labels taken back (#4 by me, #3 by me); learned, 1 label in all"
    )
    assert labelling.take_back(labelled, 5) == (
        "1 label taken back (#1 by me), there were no more; learned, 0 labels in all"
    )
    assert labelling.take_back(labelled, 1) == "there is no label to take back"


@pytest.mark.parametrize("count", [0, -1, -(10**30)])
def test_less_than_one_cannot_be_taken_back(labelled, count):
    with pytest.raises(UsageError, match="give 1 or more"):
        labelling.take_back(labelled, count)


def test_however_many_more_than_there_are_can_be_taken_back(labelled):
    labelling.give(labelled, [label_of(1, valence=0.5)])
    assert labelling.take_back(labelled, 10**30).startswith("1 label taken back")


def test_an_empty_list_is_nothing_stored(labelled):
    assert str(labelling.give(labelled, [])) == "0 labels stored; learned, 0 labels in all"


@pytest.mark.parametrize("values", [(0.3, None, None), (None, 0.3, None), (None, None, 0.4)])
@pytest.mark.parametrize("emotion", [None, "joy"])
def test_half_an_answer_is_none(values, emotion):
    with pytest.raises(UsageError, match="utterance 3: give valence and arousal together"):
        labelling.one(3, *values, emotion, "me")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Joy", "joy"), ("  Very   HAPPY ", "very happy"), ("Ärger", "ärger"), ("x" * 64, "x" * 64)],
)
def test_an_emotion_is_kept_trimmed_and_in_lower_case(text, kept):
    assert labelling.emotion_name(text) == kept
    assert labelling.one(3, None, None, None, text, "me") == label_of(3, emotion=kept)


@pytest.mark.parametrize("text", ["", "   ", "x" * 65, "a\x00b", "a\x1b[31m", "\udcff"])
def test_an_emotion_without_a_printable_name_is_refused(text):
    with pytest.raises(UsageError, match="printable"):
        labelling.emotion_name(text)
