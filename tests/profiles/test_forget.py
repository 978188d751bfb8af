"""What is forgotten cannot be read from the disk: the raw files are searched for it."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer.annotation.labels import give, take_back
from streamer.audio.clips import to_flac
from streamer.errors import NotFound, ProfileBusy
from streamer.loop.clip_cache import ClipCache
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.profiles import forget as forgetting
from streamer.store import database
from streamer.store.copies import PLAYING
from streamer.store.deletion import delete_profile
from streamer.store.profile import Profile
from streamer.types import Encoding, Samples, Verdict
from tests.support import bound_profile, label_of, store_utterance

RNG = np.random.default_rng(17)
EMBEDDING = RNG.normal(size=6).astype(np.float32)
EMOTION = RNG.normal(size=4).astype(np.float32)
VALENCE = 0.123456789012345
CLIP = to_flac(RNG.uniform(-0.5, 0.5, 8_000).astype(np.float32))


def hear(profile: Profile, embedding: Samples, emotion: Samples) -> int:
    with profile.database.transaction():
        ProfileModel(profile).adapt(Encoding(embedding, emotion))
        return store_utterance(profile, embedding, emotion)


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Profile]:
    """Eight utterances in a session; the third, in a session of its own, is to be forgotten."""
    profile = bound_profile(tmp_path / "lived")
    for number in range(1, 9):
        if number == 3:
            hear(profile, EMBEDDING, EMOTION)
            session = profile.sessions.begin("file", "/secret/elopement.wav", 50.0)
            profile.database.write("UPDATE utterances SET session = ? WHERE id = 3", session)
        else:
            rng = np.random.default_rng(number)
            hear(profile, rng.normal(size=6).astype("f4"), rng.normal(size=4).astype("f4"))
    asked = [(number, 0.5, CLIP if number == 3 else None) for number in (1, 3)]
    profile.utterances.select("random", "", asked, [2, 4, 5, 6, 7, 8], 60.0)
    profile.audio.keep(3, CLIP, 60.0)
    give(profile, [label_of(3, "Cassandra", valence=VALENCE, emotion="schadenfreude")])
    give(profile, [label_of(3, "Cassandra", valence=-VALENCE)])
    take_back(profile, 1)
    give(profile, [label_of(1, valence=0.5, emotion="joy")])
    answer = label_of(3, "Cassandra", valence=VALENCE, emotion="schadenfreude")
    profile.annotation_events.add("repeat", answer, 70.0)
    yield profile
    profile.close()


def raw(profile: Profile) -> bytes:
    """All bytes of all files of the profile, as they lie there while it is open."""
    return b"".join(path.read_bytes() for path in sorted(profile.folder.iterdir()))


def traces(profile: Profile) -> dict[str, bytes]:
    entry = next(e for e in profile.labels.log() if e.label.utterance == 3)
    assert entry.features is not None
    return {
        "embedding": EMBEDDING.astype("<f4").tobytes(),
        "one float of it": EMBEDDING[2:4].astype("<f4").tobytes(),
        "emotion vector": EMOTION.astype("<f4").tobytes(),
        "features": entry.features.astype("<f8").tobytes(),
        "valence": struct.pack(">d", VALENCE),
        "annotator": b"Cassandra",
        "emotion": b"schadenfreude",
        "source": b"elopement",
        "audio": CLIP[200:260],
    }


def test_an_utterance_is_nowhere_in_the_files(lived: Profile) -> None:
    looked_for = traces(lived)
    assert {name for name, trace in looked_for.items() if trace in raw(lived)} == set(looked_for)
    forgetting.forget_utterances(lived, [3])
    assert not {name for name, trace in looked_for.items() if trace in raw(lived)}
    lived.close()
    assert not {name for name, trace in looked_for.items() if trace in raw(lived)}
    assert lived.folder.is_dir()


def test_nor_while_another_process_has_the_profile_open(lived: Profile) -> None:
    looked_for = traces(lived)
    other = Profile(lived.folder)
    assert other.labels.count() == 2
    forgetting.forget_utterances(lived, [3])
    assert not {name for name, trace in looked_for.items() if trace in raw(lived)}
    assert other.labels.count() == 1
    other.close()


def test_the_learner_is_as_if_it_had_never_been_heard(lived: Profile, tmp_path: Path) -> None:
    """Against a profile that heard the others only, and learned their labels at the end."""
    forgetting.forget_utterances(lived, [3])
    never = bound_profile(tmp_path / "never")
    for number in (1, 2, 4, 5, 6, 7, 8):
        rng = np.random.default_rng(number)
        hear(never, rng.normal(size=6).astype("f4"), rng.normal(size=4).astype("f4"))
    give(never, [label_of(1, valence=0.5, emotion="joy")])
    one, other = ProfileModel(lived).model, ProfileModel(never).model
    rng = np.random.default_rng(99)
    probe = Encoding(rng.normal(size=6).astype(np.float32), rng.normal(size=4).astype(np.float32))
    assert one.predict(probe) == other.predict(probe)
    never.close()


def test_an_emotions_name_is_nowhere_in_the_files(lived: Profile) -> None:
    verdict = Verdict("schadenfreude", 0.1, {"joy": 0.4, "schadenfreude": 0.1})
    heard = lived.utterances.get(5)
    lived.database.write(
        "UPDATE utterances SET verdict = ? WHERE id = 5",
        '{"emotion": "schadenfreude", "distance": 0.1, "distances": '
        '{"joy": 0.4, "schadenfreude": 0.1}}',
    )
    assert lived.utterances.get(5).verdict == verdict != heard.verdict
    assert b"schadenfreude" in raw(lived)
    forgetting.forget_emotion(lived, "schadenfreude")
    assert b"schadenfreude" not in raw(lived)
    assert lived.utterances.get(5).verdict == Verdict(None, None, {"joy": 0.4})
    assert b"Cassandra" in raw(lived)


def test_audio_alone_can_be_forgotten(lived: Profile) -> None:
    lived.queries.reopen(1, CLIP)
    assert forgetting.forget_audio(lived) == 2
    assert CLIP[200:260] not in raw(lived)
    assert lived.labels.count() == 2
    assert lived.audio.clip(3) is None


@pytest.mark.parametrize("how", ["answered", "cannot tell", "in time", "for room"])
def test_closed_questions_leave_no_audio_while_another_process_is_there(
    lived: Profile, how: str
) -> None:
    lived.database.write("DELETE FROM recordings")
    lived.queries.reopen(1, CLIP)
    other = Profile(lived.folder)
    assert CLIP[200:260] in raw(lived)
    match how:
        case "answered":
            other.labels.add([label_of(1, "you", valence=0.5)], 90.0)
        case "cannot tell":
            other.utterances.close_query(1, 90.0)
        case "in time":
            lived.labels.undo(9, 80.0)
            assert lived.utterances.expire_queries(1e9, 90.0)
        case "for room":
            lived.audio.keep_within(0, 90.0)
    assert CLIP[200:260] not in raw(lived)
    other.close()


def test_a_profile_that_another_process_has_open_is_not_deleted(lived: Profile) -> None:
    other = Profile(lived.folder)
    lived.close()
    with pytest.raises(ProfileBusy, match="stop that one"):
        delete_profile(lived.folder)
    assert other.labels.add([label_of(1, "you", valence=0.5)], 90.0)
    other.close()
    delete_profile(lived.folder)
    assert not lived.folder.exists()


def test_what_was_in_the_way_once_is_done_when_it_is_repeated(
    lived: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    reader, hasty = Profile(lived.folder), Profile(lived.folder)
    with reader.database.snapshot():
        reader.labels.count()
        with pytest.raises(ProfileBusy, match="repeat"):
            forgetting.forget_utterances(hasty, [3])
    assert CLIP[200:260] in raw(lived)
    with pytest.raises(NotFound):
        forgetting.forget_utterances(hasty, [3])
    assert CLIP[200:260] not in raw(lived)
    reader.close()
    hasty.close()


def test_a_name_that_stands_on_taken_back_labels_alone_is_forgotten(lived: Profile) -> None:
    lived.labels.add([label_of(2, emotion="saudade")], 80.0)
    lived.labels.undo(1, 81.0)
    assert "saudade" not in lived.emotions.enrolled()
    assert forgetting.forget_emotion(lived, "saudade") == 0
    assert b"saudade" not in raw(lived)
    with pytest.raises(NotFound):
        forgetting.forget_emotion(lived, "saudade")


@pytest.mark.parametrize("what", ["utterance", "audio", "emotion", "all"])
def test_nor_is_a_clip_left_that_lay_there_to_be_heard(lived: Profile, what: str) -> None:
    played = lived.folder / f"{PLAYING}x"
    played.mkdir()
    (played / "clip.flac").write_bytes(CLIP)
    match what:
        case "utterance":
            forgetting.forget_utterances(lived, [5])
        case "audio":
            forgetting.forget_audio(lived)
        case "emotion":
            forgetting.forget_emotion(lived, "joy")
        case "all":
            lived.close()
            delete_profile(lived.folder)
            assert not lived.folder.exists()
    assert not played.exists()


def test_no_audio_ever_lies_on_the_disk_where_that_was_chosen(lived: Profile) -> None:
    played = lived.folder / f"{PLAYING}x"
    played.mkdir()
    (played / "clip.flac").write_bytes(CLIP)
    retention = Retention(lived, to_flac, ClipCache(), "embeddings")
    assert len(list(retention.begin())) == 1
    assert not played.exists()
    assert b"fLaC" not in raw(lived)
    audio = np.random.default_rng(5).uniform(-0.5, 0.5, 4_000).astype(np.float32)
    retention.store_utterance(4, audio, 80.0)
    assert retention.clip_for_query(4, audio) is None
    assert retention.memory.get(4, lived.marks.now()) == to_flac(audio)
    assert b"fLaC" not in raw(lived)
