"""Answers that teach nothing: stored, counted, undone."""

import pytest

from streamer.errors import NotFound, UsageError
from tests.support import bound_profile, label_of, store_utterance


@pytest.fixture
def asked(tmp_path):
    profile = bound_profile(tmp_path / "p")
    for _ in range(4):
        store_utterance(profile)
    profile.utterances.select("made", "", [(n, -float(n), b"x") for n in (1, 2, 3)], [4], 5.0)
    yield profile
    profile.close()


def test_a_skip_keeps_no_answer_and_a_repeat_does(asked):
    said = label_of(1, valence=0.5, emotion="joy")
    asked.annotation_events.add("skip", said, 1.0)
    assert asked.annotation_events.newest("me").answer == label_of(1)
    asked.annotation_events.add("repeat", said, 2.0)
    assert asked.annotation_events.newest("me").answer == said
    assert asked.annotation_events.repeats() == [said]
    assert asked.annotation_events.repeated("me") == {1}
    assert asked.labels.newest() == 0


def test_what_is_undone_does_not_count(asked):
    first = asked.annotation_events.add("skip", label_of(1), 1.0)
    second = asked.annotation_events.add("cannot tell", label_of(2), 2.0)
    asked.annotation_events.undo(second, 3.0)
    asked.annotation_events.undo(second, 4.0)
    assert asked.annotation_events.newest("me").id == first
    assert asked.annotation_events.count("me", "skip") == 1
    assert asked.annotation_events.count("me", "cannot tell") == 0
    asked.annotation_events.ask_skipped_again("me", 5.0)
    assert asked.annotation_events.newest("me") is None


def test_what_cannot_be_meant_is_refused(asked):
    with pytest.raises(NotFound):
        asked.annotation_events.add("skip", label_of(99), 1.0)
    with pytest.raises(UsageError, match="repeat"):
        asked.annotation_events.add("guess", label_of(1), 1.0)
    with pytest.raises(UsageError, match="annotator"):
        asked.annotation_events.add("skip", label_of(1, ""), 1.0)
    for value in (1.5, float("nan")):
        with pytest.raises(UsageError, match="scale"):
            asked.annotation_events.add("repeat", label_of(1, arousal=value), 1.0)


def test_questions_come_by_informativeness_or_age_without_those_skipped(asked):
    assert asked.queries.next("me").utterance.id == 1
    asked.annotation_events.add("skip", label_of(1), 1.0)
    assert asked.queries.next("me").utterance.id == 2
    assert asked.queries.next("you").utterance.id == 1
    assert asked.queries.count("me") == 2
    assert [query.utterance.id for query in asked.queries.open(2)] == [1, 2]
    asked.labels.add([label_of(2, valence=0.0)], 2.0)
    assert asked.queries.next("me", "oldest").utterance.id == 3
    asked.utterances.close_query(3, 3.0)
    assert asked.queries.next("me") is None


def test_a_question_is_opened_again_with_its_audio(asked):
    asked.utterances.close_query(3, 3.0)
    asked.queries.reopen(3, b"clip")
    assert asked.audio.clip(3) == b"clip"
    assert asked.queries.next("me").utterance.id == 1
    asked.queries.reopen(1, b"other")
    assert asked.audio.clip(1) == b"x"


def test_history_tells_what_was_last(asked):
    assert [u.id for u in asked.sessions.recent(2)] == [3, 4]
    found = asked.sessions.last_selection()
    assert (found.asked, found.released, found.strategy) == ([1, 2, 3], [4], "made")


def test_one_label_can_be_taken_back_and_found(asked):
    one, two = asked.labels.add([label_of(1, valence=0.1), label_of(2, "you", valence=0.2)], 1.0)
    assert asked.labels.newest_of("me").seq == one
    assert asked.labels.answer_of(2, "you").seq == two
    assert asked.labels.retract(one, 2.0).label.utterance == 1
    with pytest.raises(NotFound):
        asked.labels.retract(one, 3.0)
    assert asked.labels.newest_of("me") is None
    assert asked.labels.annotators() == ["you"]
    assert [entry.seq for entry in asked.labels.page(10)] == [two]
    assert asked.labels.page(10, annotator="me") == []


def test_forgetting_an_utterance_forgets_what_was_said_aside(asked):
    asked.annotation_events.add("skip", label_of(1), 1.0)
    asked.utterances.delete(1)
    assert asked.annotation_events.newest("me") is None
