"""Which audio is kept, and for how long."""

import numpy as np
import pytest

from streamer.annotation.session import AnnotationSession
from streamer.audio.clips import to_flac
from streamer.loop.clip_cache import ClipCache
from streamer.loop.loop import Loop
from streamer.loop.retention import Privacy, Retention
from streamer.store.marks import Marks
from streamer.store.profile import Profile
from tests.support import bound_profile, label_of, store_utterance

AUDIO = np.random.default_rng(3).uniform(-0.5, 0.5, 8_000).astype(np.float32)
CLIP = to_flac(AUDIO)


@pytest.fixture
def asked(profile: Profile) -> Profile:
    """Three questions of 100, 101 and 102 s, each with its clip."""
    bound_profile(profile.folder).close()
    for number in (1, 2, 3):
        store_utterance(profile)
        profile.utterances.select("random", "", [(number, 0.5, CLIP)], [], 99.0 + number)
    return profile


@pytest.mark.parametrize(
    ("privacy", "on_disk", "in_row", "in_memory"),
    [("clips", 0, True, False), ("embeddings", 0, False, True), ("everything", 1, False, False)],
)
def test_where_an_utterances_audio_goes(
    profile: Profile, privacy: Privacy, on_disk: int, in_row: bool, in_memory: bool
) -> None:
    bound_profile(profile.folder).close()
    number = store_utterance(profile)
    retention = Retention(profile, to_flac, ClipCache(), privacy)
    retention.store_utterance(number, AUDIO, 50.0)
    assert profile.audio.kept() == on_disk
    assert retention.clip_for_query(number, AUDIO) == (CLIP if in_row else None)
    assert retention.memory.get(number, profile.marks.now()) == (CLIP if in_memory else None)


def test_what_was_kept_by_choice_outlives_its_label_and_has_its_own_end(profile: Profile) -> None:
    bound_profile(profile.folder).close()
    number = store_utterance(profile)
    retention = Retention(profile, to_flac, ClipCache(), "everything", audio_life_s=10.0)
    retention.store_utterance(number, AUDIO, 50.0)
    profile.utterances.select(
        "random", "", [(number, 0.5, retention.clip_for_query(number, AUDIO))], [], 50.0
    )
    assert profile.queries.open(1)[0].has_clip
    profile.labels.add([label_of(number, valence=0.5)], 55.0)
    assert profile.audio.clip(number) == CLIP
    assert not list(retention.expire(50.0, 0.0))
    assert not list(retention.expire(59.9, 9.9))
    assert list(retention.expire(60.0, 10.0)) == [
        "the audio of 1 utterance deleted: older than audio_days"
    ]
    assert profile.audio.clip(number) is None
    assert profile.labels.count() == 1


def test_the_oldest_make_room_and_their_questions_are_closed(asked: Profile) -> None:
    retention = Retention(asked, to_flac, ClipCache(), most_bytes=1.5 * len(CLIP))
    assert "the 2 oldest clips deleted" in next(retention.expire(103.0, 0.0))
    assert [query.utterance.id for query in asked.queries.open()] == [3]
    assert asked.audio.size() == (1, len(CLIP))
    assert not list(retention.expire(104.0, 1.0))


def test_a_question_whose_audio_was_kept_by_choice_is_closed_with_it_too(asked: Profile) -> None:
    asked.audio.delete_all()
    for number in (1, 2):
        asked.audio.keep(number, CLIP, 101.0)
    retention = Retention(asked, to_flac, ClipCache(), "everything", most_bytes=1.5 * len(CLIP))
    assert "the 1 oldest clip deleted" in next(retention.expire(103.0, 0.0))
    assert 1 not in [query.utterance.id for query in asked.queries.open()]


def test_questions_that_nobody_answers_in_time_are_closed_and_said(asked: Profile) -> None:
    retention = Retention(asked, to_flac, ClipCache(), query_life_s=10.0)
    assert not list(retention.expire(103.0, 0.0))
    number = store_utterance(asked)
    asked.utterances.select("random", "", [(number, 0.5, CLIP)], [], 104.0)
    assert not list(retention.expire(112.9, 9.9))
    assert "3 questions closed" in next(retention.expire(113.0, 10.0))
    assert [query.utterance.id for query in asked.queries.open()] == [number]


def test_audio_kept_by_an_earlier_choice_is_told_of(asked: Profile) -> None:
    asked.audio.keep(1, CLIP, 100.0)
    (told,) = Retention(asked, to_flac, ClipCache(), "clips").begin()
    assert "forget --audio" in told
    assert asked.audio.kept() == 1
    assert not list(Retention(asked, to_flac, ClipCache(), "everything").begin())


def test_a_shelf_holds_so_many_bytes_and_gives_up_the_longest_unused() -> None:
    clip_cache = ClipCache(most_bytes=30)
    now = Marks("a", "b")
    for number in (1, 2, 3):
        clip_cache.put(number, b"0123456789", now)
    assert clip_cache.get(1, now)
    clip_cache.put(4, b"0123456789", now)
    assert [n for n in (1, 2, 3, 4) if clip_cache.get(n, now)] == [1, 3, 4]
    clip_cache.put(4, b"", now)
    clip_cache.put(5, b"0123456789", now)
    assert [n for n in (1, 3, 4, 5) if clip_cache.get(n, now)] == [1, 3, 5]


@pytest.mark.parametrize("later", [Marks("a", "c"), Marks("c", "b")])
def test_clips_of_other_marks_are_dropped_whoever_asks_first(later: Marks) -> None:
    now, clip_cache = Marks("a", "b"), ClipCache()
    clip_cache.put(1, b"0123456789", now)
    assert clip_cache.has(1, now)
    assert not clip_cache.has(1, later)
    assert clip_cache.get(1, now) is None
    clip_cache.put(2, b"0123456789", now)  # read before it was forgotten, put after
    assert clip_cache.get(2, later) is None


def test_what_may_not_lie_on_the_disk_is_heard_and_asked_again_from_memory(
    profile: Profile,
) -> None:
    bound_profile(profile.folder).close()
    number = store_utterance(profile)
    loop = Loop("another.wav")
    retention = Retention(profile, to_flac, loop.clips, "embeddings")
    profile.utterances.select(
        "random", "", [(number, 0.5, retention.clip_for_query(number, AUDIO))], [], 50.0
    )
    rng = np.random.default_rng(0)
    annotation = AnnotationSession(profile, rng, lambda: 60.0, loop=loop, on_disk=False)
    elsewhere = AnnotationSession(profile, rng, lambda: 60.0)
    item = annotation.next("me")
    assert item is not None
    assert item.has_audio
    assert annotation.clip(number) == CLIP
    assert elsewhere.clip(number) is None
    annotation.save(label_of(number, valence=0.5, arousal=0.1))
    again = annotation.undo("me")
    assert again is not None
    assert again.has_audio
    assert profile.audio.size() == (0, 0)
