"""What the first answers changed."""

import numpy as np
import pytest

from streamer.annotation.before_after import changes
from streamer.annotation.labels import give
from streamer.annotation.session import AnnotationSession
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from tests.support import bound_profile, label_of, store_utterance


@pytest.fixture
def annotation(tmp_path):
    profile = bound_profile(tmp_path / "p")
    rng = np.random.default_rng(3)
    model = ProfileModel(profile)
    for _ in range(5):
        embedding, emotion = rng.normal(size=6), rng.normal(size=4)
        number = store_utterance(profile, embedding.astype("f4"), emotion.astype("f4"))
        model.adapt(profile.utterances.get(number))
    profile.utterances.select("made", "for a test", [(1, 0.0, None), (2, -1.0, None)], [3, 4], 1.0)
    model.save()
    yield AnnotationSession(profile, rng, lambda: 1_000.0)
    profile.close()


def heard_after_the_answers(profile: Profile, utterance: int) -> None:
    profile.database.write("UPDATE utterances SET heard_at = 1e12 WHERE id = ?", utterance)


def test_an_open_question_is_left_out_and_an_answered_one_is_beside_its_answer(annotation):
    profile = annotation.profile
    assert [one.utterance for one in changes(annotation, [1, 2, 3, 99], "me", None)] == [3]
    assert len(changes(annotation, [1, 2, 3], "me", wanted=False)) == 3
    give(profile, [label_of(1, valence=0.9, arousal=-0.9)])
    found = changes(annotation, [3, 1, 2], "me", None)
    assert [one.utterance for one in found] == [3, 1]
    answered = found[1]
    assert answered.before == profile.utterances.get(1).prediction
    assert answered.answer.valence == 0.9
    assert found[0].answer is None
    assert changes(annotation, [1], "somebody else", None)[0].answer is None
    was, now = answered.before.valence.mean, answered.after.valence.mean
    assert abs(now - 0.9) < abs(was - 0.9)


def test_what_was_heard_later_is_set_beside_the_model_without_answers(annotation):
    profile = annotation.profile
    heard_after_the_answers(profile, 3)
    (untaught,) = changes(annotation, [3], "me", None)
    give(profile, [label_of(1, valence=0.9, arousal=-0.9)])
    (found,) = changes(annotation, [3], "me", None)
    assert found.before == untaught.after  # before the answers, the model of now was the untaught
    assert found.before != profile.utterances.get(3).prediction
    assert found.after != found.before


def test_a_new_profile_has_nothing_to_compare(tmp_path):
    profile = Profile(tmp_path / "new")
    session = AnnotationSession(profile, np.random.default_rng(), lambda: 1.0)
    assert changes(session, [1], "me", None) == []
    profile.close()
