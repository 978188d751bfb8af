"""Utterances and the queries that come of them."""

import numpy as np
import pytest

from streamer.errors import NotFound
from streamer.store.profile import FILE_NAME, Profile
from streamer.types import Estimate, Prediction, Quality, Utterance, Verdict
from tests.support import label_of, store_utterance

CLIP = b"fLaC" + bytes(range(200)) * 50


@pytest.fixture
def numbers(profile):
    return [store_utterance(profile) for _ in range(6)]


def asked_of(profile):
    return [query.utterance.id for query in profile.queries.open()]


def test_is_given_back_as_it_was_heard(profile):
    rng = np.random.default_rng(0)
    session = profile.sessions.begin("microphone", "USB", 0.0)
    heard = Utterance(
        "Mikrofon äöü", 12.416, 14.08, np.ones(9, np.float32), Quality(-20.5, 31.25, True)
    )
    prediction = Prediction(
        Estimate(0.1, -0.3, 0.7), Estimate(-1.0, -1.0, -0.9), Estimate(1 / 3, 0.0, 2 / 3)
    )
    verdict = Verdict("joy", 0.1 + 0.2, {"joy": 0.1 + 0.2, "anger": 1.5})
    embedding = rng.normal(size=32).astype(np.float32)
    emotion = rng.normal(size=8).astype(np.float32)
    number = profile.utterances.add(
        session, heard, embedding, emotion, prediction, verdict, -0.125, 99.5
    )
    stored = profile.utterances.get(number)
    assert (stored.source, stored.onset_s, stored.offset_s) == ("Mikrofon äöü", 12.416, 14.08)
    assert (stored.heard_at, stored.informativeness, stored.state) == (99.5, -0.125, "buffered")
    assert (stored.quality, stored.prediction) == (heard.quality, prediction)
    assert stored.verdict == verdict
    assert stored.embedding.dtype == stored.emotion.dtype == np.float32
    assert np.array_equal(stored.embedding, embedding)
    assert np.array_equal(stored.emotion, emotion)


@pytest.mark.parametrize("number", [0, 99, -1, 10**30])
def test_an_unknown_one_is_not_found(profile, number):
    with pytest.raises(NotFound):
        profile.utterances.get(number)


def test_ids_grow_and_are_not_used_again(tmp_path):
    profile = Profile(tmp_path / "p")
    some = [store_utterance(profile) for _ in range(3)]
    assert some == [1, 2, 3]
    for number in some:
        profile.utterances.delete(number)
    profile.database.vacuum()
    profile.close()
    again = Profile(tmp_path / "p")
    assert store_utterance(again) == 4
    assert again.utterances.numbers() == [4]
    again.close()


def test_a_selection_asks_some_and_lets_the_rest_go(profile, numbers):
    first = profile.utterances.select(
        "binary-confidence", "least sure", [(3, -0.2, CLIP), (1, -0.1, CLIP)], [2, 4], 50.0
    )
    second = profile.utterances.select("random", "at random", [(5, 0.7, None)], [], 51.0)
    assert second > first
    assert asked_of(profile) == [5, 1, 3]
    assert profile.utterances.open_query_count() == 3
    assert profile.utterances.counts() == {"buffered": 1, "asked": 3, "released": 2}
    assert profile.audio.clip(1) == CLIP
    assert profile.audio.clip(2) is None
    query = profile.queries.open()[1]
    assert (query.score, query.asked_at, query.has_clip) == (-0.1, 50.0, True)
    assert query.utterance.state == "asked"


def test_what_was_drawn_at_random_is_marked_with_its_probability(profile, numbers):
    asked = [(3, -0.2, None), (1, -0.1, None)]
    profile.utterances.select("binary-confidence", "r", asked, [2], 1.0, {3}, 0.05)
    profile.utterances.select("random", "r", [(4, 0.0, None)], [], 2.0)
    rows = profile.database.rows("SELECT * FROM queries ORDER BY utterance")
    found = [(row["utterance"], row["explored"], row["propensity"]) for row in rows]
    assert found == [(1, 0, 0.05), (3, 1, 0.05), (4, 0, 0.0)]


def test_a_selection_stands_whole_or_not_at_all(profile, numbers):
    profile.utterances.select("random", "at random", [(1, 0.5, CLIP)], [], 1.0)
    with pytest.raises(Exception, match="UNIQUE"):
        profile.utterances.select("random", "at random", [(2, 0.5, CLIP), (1, 0.5, CLIP)], [3], 2.0)
    assert asked_of(profile) == [1]
    assert profile.utterances.get(3).state == "buffered"


def test_of_equal_scores_the_earlier_comes_first(profile, numbers):
    profile.utterances.select("random", "r", [(n, 0.5, None) for n in (4, 2, 6)], [], 1.0)
    assert asked_of(profile) == [2, 4, 6]


def test_what_a_killed_session_left_is_let_go(profile, numbers):
    profile.utterances.select("random", "r", [(1, 0.5, None)], [2], 1.0)
    assert profile.utterances.release_orphans() == 4
    assert profile.utterances.counts() == {"buffered": 0, "asked": 1, "released": 5}
    assert profile.utterances.release_orphans() == 0


def test_old_unanswered_queries_expire_with_their_audio(profile, numbers):
    profile.utterances.select("random", "r", [(1, 0.5, CLIP), (2, 0.4, CLIP)], [], 10.0)
    profile.utterances.select("random", "r", [(3, 0.5, CLIP)], [], 20.0)
    profile.labels.add([label_of(2, valence=0.0)], 11.0)
    assert profile.utterances.expire_queries(20.0, 30.0) == 1
    assert asked_of(profile) == [3]
    assert profile.audio.clip(1) is None
    assert profile.audio.clip(3) == CLIP
    assert profile.utterances.expire_queries(20.0, 31.0) == 0
    # An expired one is not asked again when an answer to it is taken back.
    profile.labels.add([label_of(1, valence=0.0)], 32.0)
    profile.labels.undo(1, 33.0)
    assert asked_of(profile) == [3]


def test_a_query_that_nobody_can_answer_is_closed(profile, numbers):
    profile.utterances.select("random", "r", [(1, 0.5, CLIP)], [], 1.0)
    profile.utterances.close_query(1, 2.0)
    assert asked_of(profile) == []
    assert profile.audio.clip(1) is None


def test_a_deleted_one_takes_its_query_audio_labels_and_enrollment_along(tmp_path):
    profile = Profile(tmp_path / "p")
    numbers = [store_utterance(profile) for _ in range(2)]
    profile.utterances.select("random", "r", [(n, 0.5, CLIP) for n in numbers], [], 1.0)
    profile.emotions.enroll("joy", np.ones(4, np.float32), "a", numbers[0], 1.0)
    profile.labels.add([label_of(numbers[0], valence=0.5, emotion="glee")], 1.0)
    profile.labels.learned_with(1, np.ones(6))
    profile.labels.undo(1, 2.0)
    profile.utterances.delete(numbers[0])
    assert asked_of(profile) == [numbers[1]]
    assert profile.labels.log() == []
    assert profile.emotions.enrolled() == {}
    assert profile.database.rows("SELECT * FROM lessons") == []
    profile.utterances.delete(numbers[1])
    profile.close()
    assert CLIP[:64] not in (profile.folder / FILE_NAME).read_bytes()


def test_numbers_are_those_heard_before_a_time(profile, numbers):
    profile.database.write("UPDATE utterances SET heard_at = 50.0 WHERE id IN (2, 5)")
    assert profile.utterances.numbers() == numbers
    assert profile.utterances.numbers(heard_before=100.0) == [2, 5]
    assert profile.utterances.numbers(heard_before=50.0) == []


def test_other_vectors_take_the_place_of_the_old(profile, numbers):
    profile.utterances.replace_vectors(2, np.full(3, 0.5, np.float32), np.full(2, 2.0, np.float32))
    stored = profile.utterances.get(2)
    assert stored.embedding.tolist() == [0.5, 0.5, 0.5]
    assert stored.emotion.tolist() == [2.0, 2.0]
    assert profile.utterances.get(3).embedding.shape == (6,)


def test_the_usual_level_is_that_at_which_they_were_encoded(profile):
    for number in range(20):
        assert profile.utterances.usual_dbfs() is None
        store_utterance(profile, quality=Quality(-60.0 - number % 3, 30.0, False, gain_db=36.0))
    assert profile.utterances.usual_dbfs() == pytest.approx(-25.0)
    for _ in range(200):
        store_utterance(profile, quality=Quality(-30.0, 30.0, False))
    assert profile.utterances.usual_dbfs() == pytest.approx(-30.0)
