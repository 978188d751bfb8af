"""Another program keeps the database locked: hearing goes on, what has no room is counted."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ProfileLocked
from streamer.events import Ended, Event, Heard, Learned, Noticed, Selected
from streamer.loop import backlog as backlog_module
from streamer.loop.backlog import Backlog
from streamer.loop.loop import Loop
from streamer.loop.session import Session
from streamer.store import database
from streamer.store.profile import FILE_NAME, Profile
from streamer.testing import Spoken
from streamer.types import Chunk, Samples
from tests.loop.test_steps import Recorder
from tests.sessions import made_session
from tests.support import label_of

RATE_HZ = 16_000
CHUNK = 8_000
Act = Callable[[], None]


class Other:
    """Another program's transaction that is left open."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(
            folder / FILE_NAME, isolation_level=None, check_same_thread=False, timeout=5.0
        )

    def lock(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("UPDATE meta SET value = value")

    def unlock(self) -> None:
        self._connection.execute("ROLLBACK")


class Room:
    """Somebody speaks; `at` says what is done before which chunk."""

    name = "room"
    rate_hz = RATE_HZ
    channels = 1

    def __init__(self, audio: Samples, at: dict[int, Act], kind: str = "microphone") -> None:
        self.kind = kind
        self._audio = audio
        self._at = at

    def __iter__(self) -> Iterator[Chunk]:
        for number, start in enumerate(range(0, len(self._audio), CHUNK)):
            self._at.get(number, lambda: None)()
            chunk = self._audio[start : start + CHUNK, np.newaxis]
            yield Chunk(chunk, RATE_HZ, self.name)

    def close(self) -> None:
        pass


@pytest.fixture
def other(profile: Profile) -> Other:
    return Other(profile.folder)


@pytest.fixture
def audio(spoken_session: tuple[Samples, list[Spoken]]) -> Samples:
    return spoken_session[0]


def with_backlog(profile: Profile, **options: float) -> Session:
    """options: of the backlog."""
    return made_session(
        profile, size=4, backlog=Backlog(profile.database, patience_s=0.01, **options)
    )


def events_of(profile: Profile, room: Room, **options: float) -> list[Event]:
    recorder = Recorder()
    recorder.record(room, with_backlog(profile, **options))
    return recorder.events


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


def accounts(events: list[Event]) -> Ended:
    ended = events[-1]
    assert isinstance(ended, Ended)
    dropped = sum(ended.dropped_samples.values())
    assert ended.captured_samples == ended.speech_samples + ended.silence_samples + dropped
    return ended


def told(events: list[Event]) -> list[str]:
    return [event.text for event in of(Noticed, events)]


def test_what_is_said_while_it_is_locked_waits_and_is_stored_in_order(
    profile: Profile, other: Other, audio: Samples, tmp_path: Path
) -> None:
    with closing(Profile(tmp_path / "free")) as free:
        usual = events_of(free, Room(audio, {}))
    middle = len(audio) // CHUNK // 2
    events = events_of(profile, Room(audio, {4: other.lock, middle: other.unlock}), drops=True)
    ended = accounts(events)
    assert ended.captured_samples == len(audio)
    assert not ended.dropped_samples
    heard = of(Heard, events)
    assert len(heard) == 12
    assert [e.prediction for e in heard] == [e.prediction for e in of(Heard, usual)]
    assert [e.asked for e in of(Selected, events)] == [e.asked for e in of(Selected, usual)]
    notices = told(events)
    assert sum("does not finish" in text for text in notices) == 1
    (again,) = (text for text in notices if "can be written again" in text)
    assert "utterances waited for it" in again


def test_a_microphones_speech_beyond_the_room_is_counted_and_the_loop_goes_on(
    profile: Profile, other: Other, audio: Samples
) -> None:
    at = {2: other.lock, len(audio) // CHUNK - 6: other.unlock}
    events = events_of(profile, Room(audio, at), drops=True, most_s=5.0)
    ended = accounts(events)
    assert ended.captured_samples == len(audio)
    heard = of(Heard, events)
    assert 0 < len(heard) < 12
    assert ended.dropped_samples["not_stored"] > RATE_HZ
    assert any("locked: 1 utterance given up" in text for text in told(events))
    assert profile.utterances.count() == len(heard)


def test_a_recording_waits_as_it_can(profile: Profile, other: Other, audio: Samples) -> None:
    room = Room(audio, {2: other.lock}, "file")
    unlocking = threading.Timer(0.1, other.unlock)
    room.close()
    session = with_backlog(profile, most_s=5.0)
    recorder = Recorder()
    waited = []
    catch_up = session.catch_up

    def catching_up() -> Iterator[Event]:
        if not waited:
            unlocking.start()
        waited.append(profile.utterances.count())
        return catch_up()

    session.catch_up = catching_up  # type: ignore[method-assign]
    recorder.record(room, session)
    unlocking.join()
    assert waited
    assert not accounts(recorder.events).dropped_samples
    assert len(recorder.of(Heard)) == 12


def test_an_answer_of_meanwhile_is_learned_afterwards(
    profile: Profile, other: Other, audio: Samples
) -> None:
    def answer() -> None:
        profile.labels.add([label_of(1, valence=0.5)], 1.0)
        other.lock()

    last = len(audio) // CHUNK - 2
    events = events_of(profile, Room(audio, {last - 8: answer, last: other.unlock}))
    assert [event.utterance for event in of(Learned, events)] == [1]
    accounts(events)


def test_locked_to_the_end_it_is_told_once_and_the_accounts_close(
    profile: Profile, other: Other, audio: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (backlog_module, database):
        monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.1)
    recorder = Recorder()
    with pytest.raises(ProfileLocked, match="another process is writing; close it"):
        recorder.record(Room(audio, {2: other.lock}), with_backlog(profile))
    ended = accounts(recorder.events)
    assert ended.captured_samples == len(audio)
    assert ended.dropped_samples["not_stored"] > RATE_HZ


def test_only_a_microphone_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Seen(Backlog):
        def __init__(self, *words: object, drops: bool, **options: float) -> None:
            made.append(drops)
            super().__init__(*words, drops=drops, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(backlog_module, "Backlog", Seen)
    silence = np.zeros(CHUNK, np.float32)
    for kind in ("microphone", "stdin", "file"):
        list(Loop(Room(silence, {}, kind), tmp_path / kind, encoder="acoustic"))
    assert made == [True, False, False]
