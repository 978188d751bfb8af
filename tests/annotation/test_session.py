"""An annotation session: repeats that are not learned, and undo that also works in a later one."""

import time
from dataclasses import asdict, replace

import numpy as np
import pytest

from streamer.annotation.session import REPEAT_DISTANCE, REPEAT_EVERY, AnnotationSession
from streamer.audio.clips import to_flac
from streamer.errors import AlreadyAnswered, NotFound
from streamer.loop.profile_model import ProfileModel
from streamer.loop.trust import widened
from streamer.store.profile import DIMENSION
from streamer.web.api.emotions import emotions_state
from tests.support import GOOD, bound_profile, label_of, store_utterance

CLIP = to_flac(np.zeros(1600, np.float32))


@pytest.fixture
def profile(tmp_path):
    opened = bound_profile(tmp_path / "p")
    rng = np.random.default_rng(3)
    for _ in range(60):
        store_utterance(opened, rng.normal(size=6).astype(np.float32))
    asked = [(number, -float(number), CLIP) for number in range(1, 61)]
    opened.utterances.select("made", "for a test", asked, [], 1.0)
    yield opened
    opened.close()


def open_session(profile, seed=1):
    # `give` stores the time of the system's clock; undo compares with it.
    return AnnotationSession(profile, np.random.default_rng(seed), time.time)


def answer_all(annotation, count, annotator="me"):
    """Answers `count` items; their numbers."""
    numbers = []
    for _ in range(count):
        item = annotation.next(annotator)
        numbers.append(item.utterance.id)
        annotation.save(label_of(item.utterance.id, annotator, valence=0.5, arousal=0.5))
    return numbers


def test_about_one_in_twenty_comes_a_second_time(profile):
    numbers = answer_all(open_session(profile), 62)
    again = [at for at, number in enumerate(numbers) if number in numbers[:at]]
    assert 2 <= len(again) <= 4
    for at in again:
        assert at - numbers.index(numbers[at]) > REPEAT_DISTANCE
    assert REPEAT_EVERY[0] <= again[0] <= REPEAT_EVERY[1]


def test_a_repeat_is_shown_beside_the_first_answer_and_is_not_learned(profile):
    annotation = open_session(profile)
    seen = set()
    while (item := annotation.next("me")).utterance.id not in seen:
        seen.add(item.utterance.id)
        annotation.save(label_of(item.utterance.id, valence=0.5, arousal=0.5))
    number, labels = item.utterance.id, profile.labels.newest()
    before = annotation.predict(number)
    saved = annotation.save(label_of(number, valence=-0.5, arousal=0.25))
    assert saved.first == label_of(number, valence=0.5, arousal=0.5)
    assert profile.labels.newest() == labels
    assert annotation.predict(number) == before
    assert ProfileModel(profile).model.labels == labels
    progress = annotation.progress("me")
    assert (progress.repeats, progress.mean_difference) == (1, pytest.approx((1.0 + 0.25) / 2))
    assert annotation.next("me").utterance.id not in seen
    undone = annotation.undo("me")
    assert (undone.utterance.id, undone.answered.valence) == (number, -0.5)
    assert annotation.progress("me").repeats == 0
    assert profile.labels.count() == len(seen)


def test_noise_widens_the_intervals_of_an_answer_as_it_widens_those_of_the_loop(profile):
    annotation = open_session(profile)
    answer_all(annotation, 40)
    vector = np.zeros(6, np.float32)
    clear, noisy = (
        store_utterance(profile, vector, quality=replace(GOOD, trust=trust)) for trust in (1.0, 0.7)
    )
    narrow = annotation.predict(clear)
    wide = widened(narrow, 0.7)
    assert annotation.predict(noisy) == wide != narrow
    bounds = [1.5 * one.valence.low - 0.5 * one.valence.high for one in (narrow, wide)]
    value = sum(bounds) / 2
    assert annotation.is_surprising(label_of(clear, valence=value))
    assert not annotation.is_surprising(label_of(noisy, valence=value))
    saved = annotation.save(label_of(noisy, valence=0.25, arousal=0.25))
    assert saved.predicted == wide
    assert saved.now == widened(annotation.predict(clear), 0.7) != wide
    assert emotions_state(annotation, None)["utterances"][0]["valence"] == asdict(saved.now.valence)


def test_a_repeat_that_is_skipped_is_dropped(profile):
    annotation = open_session(profile)
    seen = set()
    while (item := annotation.next("me")).utterance.id not in seen:
        seen.add(item.utterance.id)
        annotation.save(label_of(item.utterance.id, valence=0.5, arousal=0.5))
    annotation.pass_over("cannot tell", item.utterance.id, "me")
    assert annotation.next("me").utterance.id not in seen
    assert profile.labels.count() == len(seen)


def test_a_later_session_can_undo_but_has_no_audio(profile):
    answer_all(open_session(profile), 3)
    later = open_session(profile)
    item = later.undo("me")
    assert (item.utterance.id, item.has_audio) == (3, False)
    assert later.next("me").utterance.id == 3
    assert [later.undo("me").utterance.id for _ in range(2)] == [2, 1]
    assert later.undo("me") is None
    assert ProfileModel(profile).model.labels == 0


def test_an_answer_undone_in_the_same_session_has_its_audio_again(profile):
    annotation = open_session(profile)
    answer_all(annotation, 1)
    assert profile.audio.clip(1) is None
    assert annotation.undo("me").has_audio
    assert profile.audio.clip(1) == CLIP


def test_a_clock_that_is_set_back_does_not_change_what_was_done_last(profile):
    annotation = AnnotationSession(profile, np.random.default_rng(1), lambda: time.time() - 3600.0)
    answer_all(annotation, 1)
    annotation.pass_over("skip", 2, "me")
    assert annotation.undo("me").utterance.id == 2
    assert profile.labels.count() == 1
    assert annotation.undo("me").utterance.id == 1


def test_annotators_do_not_undo_each_other(profile):
    annotation = open_session(profile)
    answer_all(annotation, 2, "ann")
    answer_all(annotation, 1, "bob")
    assert annotation.undo("ann").utterance.id == 2
    assert annotation.progress("bob").answered == 2


def test_emotions_in_use_come_first_and_there_are_always_some(profile):
    profile.emotions.enroll("weltschmerz", np.ones(4, np.float32), "a.wav", None, 1.0)
    emotions = open_session(profile).emotions()
    assert [*emotions][:2] == ["weltschmerz", "neutral"]
    assert [*emotions.values()] == list("123456789")


def test_an_unknown_utterance_is_an_error(profile):
    annotation = open_session(profile)
    with pytest.raises(NotFound):
        annotation.save(label_of(999, valence=0.0))
    with pytest.raises(NotFound):
        annotation.pass_over("skip", 999, "me")
    assert profile.annotation_events.newest("me") is None


def to_a_repeat(annotation, seat):
    """Answers from one seat until it is asked for a repeat; the utterance."""
    seen = set()
    while (item := annotation.next("me", seat=seat)).utterance.id not in seen:
        seen.add(item.utterance.id)
        annotation.save(label_of(item.utterance.id, valence=0.5, arousal=0.5), seat)
    return item.utterance.id


def test_a_repeat_is_asked_only_where_the_first_answer_was_given(profile):
    annotation = open_session(profile)
    number = to_a_repeat(annotation, "tab 1")
    assert annotation.next("me", seat="tab 2").utterance.id != number
    assert annotation.next("me", seat="tab 1").utterance.id == number


def test_two_tabs_that_show_the_same_question_are_no_repeat(profile):
    """Nor are two people who use the same name: the later answer is told so, and not stored."""
    annotation = open_session(profile)
    shown = [annotation.next("me", seat=seat).utterance.id for seat in ("tab 1", "tab 2")]
    assert shown == [1, 1]
    annotation.save(label_of(1, valence=0.5, arousal=0.5), "tab 1")
    with pytest.raises(AlreadyAnswered, match="utterance 1 elsewhere"):
        annotation.save(label_of(1, valence=-0.5, arousal=0.5), "tab 2")
    assert annotation.progress("me").repeats == 0
    assert profile.labels.answer_of(1, "me").label.valence == 0.5
    assert annotation.next("me", seat="tab 2").utterance.id == 2


def test_a_repeat_answered_in_another_tab_is_none(profile):
    annotation = open_session(profile)
    number = to_a_repeat(annotation, "tab 1")
    with pytest.raises(AlreadyAnswered):
        annotation.save(label_of(number, valence=-0.5, arousal=0.5), "tab 2")
    annotation.save(label_of(number, valence=-0.5, arousal=0.5), "tab 1")
    assert annotation.progress("me").repeats == 1
    with pytest.raises(AlreadyAnswered):
        annotation.save(label_of(number, valence=-0.5, arousal=0.5), "tab 1")
    assert annotation.progress("me").repeats == 1


def test_what_is_undone_from_another_tab_can_be_answered_there(profile):
    annotation = open_session(profile)
    annotation.save(label_of(1, valence=0.5, arousal=0.5), "tab 1")
    assert annotation.undo("me", "tab 2").utterance.id == 1
    annotation.save(label_of(1, valence=0.25, arousal=0.5), "tab 2")
    assert profile.labels.count() == 1


def test_the_question_that_is_shown_stays_first_while_it_is_open(profile):
    annotation = open_session(profile)
    assert annotation.next("me", current=7).utterance.id == 7
    annotation.save(label_of(7, valence=0.5, arousal=0.5))
    assert annotation.next("me", current=7).utterance.id == 1
    annotation.pass_over("skip", 8, "me")
    assert annotation.next("me", "oldest", current=8).utterance.id == 1


def test_the_process_that_listens_says_which_dimension_is_asked_alone(profile):
    assert open_session(profile).dimension is None
    profile.set_meta(DIMENSION, "valence")
    assert open_session(profile).dimension == "valence"
    profile.set_meta(DIMENSION, "")
    assert open_session(profile).dimension is None
