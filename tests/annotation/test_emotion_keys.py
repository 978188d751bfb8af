"""The keys of the emotions: whatever happens to a profile, no key that was shown moves."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.annotation.session import AnnotationSession
from streamer.errors import NotFound, ProfileError
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.profiles.forget import forget_emotion
from streamer.store.emotion_keys import KEYS
from streamer.store.profile import Profile
from streamer.store.tables import TABLES
from tests.profiles.archive.making import edit_row, rewrite
from tests.support import bound_profile, label_of, store_utterance

NAMES = st.sampled_from(["joy", "anger", "woe", "awe", "zest", "calm", "neutral", "a b"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["label", "undo", "enroll", "forget", "reopen"]), NAMES), max_size=12
)


def session_of(profile: Profile) -> AnnotationSession:
    return AnnotationSession(profile, np.random.default_rng(0), lambda: 1.0)


@settings(max_examples=12, deadline=None)
@given(steps=STEPS, first=st.integers(0, 3))
def test_no_key_moves_whatever_is_answered_undone_enrolled_or_forgotten(
    tmp_path_factory, steps, first
):
    """first: how many of the steps come before any key is shown."""
    folder = tmp_path_factory.mktemp("keys")
    profile = bound_profile(folder)
    numbers = [store_utterance(profile) for _ in range(3)]
    shown: dict[str, str | None] = {}
    for count, (step, name) in enumerate(steps):
        annotation = session_of(profile)
        if step == "label":
            annotation.save(label_of(numbers[count % 3], f"person {count}", emotion=name))
        elif step == "undo":
            annotation.undo(f"person {count - 1}")
        elif step == "enroll":
            vector = profile.utterances.get(numbers[0]).emotion
            profile.emotions.enroll(name, vector, "a.wav", None, 1.0)
        elif step == "forget":
            with suppress(NotFound):
                forget_emotion(profile, name)
            profile.let_go()
            shown.pop(name, None)
        else:
            profile.close()
            profile = Profile(folder)
        if count >= first:
            now = session_of(profile).emotions()
            assert shown.items() <= now.items()
            assert [key for key in now if key in shown] == [*shown]
            keys = [key for key in now.values() if key]
            assert len(keys) == len(set(keys))
            shown = now
    profile.close()


def test_a_new_emotion_is_appended_and_a_forgotten_one_leaves_its_place_empty(tmp_path):
    profile = bound_profile(tmp_path / "p")
    number = store_utterance(profile)
    annotation = session_of(profile)
    before = annotation.emotions()
    assert [*before.values()] == list("123456789")
    annotation.save(label_of(number, "ann", emotion="awe"))
    assert annotation.emotions() == before | {"awe": "a"}
    forget_emotion(profile, "fear")
    profile.let_go()
    annotation.save(label_of(number, "bob", emotion="fear again"))
    kept = {name: key for name, key in before.items() if name != "fear"}
    assert annotation.emotions() == kept | {"awe": "a", "fear again": "b"}
    profile.close()


def test_those_after_the_last_key_have_none(tmp_path):
    profile = bound_profile(tmp_path / "p")
    names = [f"emotion {number}" for number in range(len(KEYS) + 2)]
    profile.emotion_keys.add(names)
    keys = session_of(profile).emotions()
    assert [*keys.values()] == [*KEYS, None, None]
    profile.close()


def test_the_keys_travel_with_an_export_and_an_older_export_is_still_read(tmp_path):
    profile = bound_profile(tmp_path / "p")
    store_utterance(profile)
    profile.emotion_keys.add(["woe", "awe"])
    export_profile(profile, tmp_path / "exported", {})
    profile.close()
    there = Profile(tmp_path / "there")
    import_profile(there, tmp_path / "exported", None)
    assert there.emotion_keys.keys() == {"woe": "1", "awe": "2"}
    there.close()
    # As the schema before the keys wrote it: without that table.
    later = [table.name for table in TABLES if table.since > 8]
    assert "emotion_keys" in later
    manifest = tmp_path / "exported" / "manifest.json"
    older = json.loads(manifest.read_text())
    older["database"] = 8
    older["rows"] = {k: v for k, v in older["rows"].items() if k not in later}
    rewrite(tmp_path / "exported", "manifest.json", json.dumps(older).encode())
    for table in later:
        (tmp_path / "exported" / f"{table}.jsonl").unlink()
    other = Profile(tmp_path / "other")
    import_profile(other, tmp_path / "exported", None)
    assert other.emotion_keys.keys() == {}
    other.close()


def test_an_export_with_a_name_that_can_be_none_is_refused(tmp_path):
    profile = bound_profile(tmp_path / "p")
    profile.emotion_keys.add(["woe"])
    export_profile(profile, tmp_path / "exported", {})
    profile.close()
    edit_row(tmp_path / "exported", "emotion_keys", 0, lambda row: row.update(place="x"))
    there = Profile(tmp_path / "there")
    with pytest.raises(ProfileError, match=r"emotion_keys\.jsonl"):
        import_profile(there, tmp_path / "exported", None)
    there.close()
