"""The loop as an object: in a program, another thread, and under asyncio."""

import asyncio
import queue
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import NotFound, ProfileBusy, ProfileError, UnreadableAudio, UsageError
from streamer.events import Ended, Event, Heard, Learned, Selected, Started
from streamer.loop.loop import Loop
from streamer.loop.profile_model import ProfileModel
from streamer.store.labels import Labels
from streamer.store.profile import Profile
from streamer.types import SAMPLE_RATE_HZ, Chunk
from tests.loop.test_profile_model import full_disk
from tests.support import same_arrays


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


class Live:
    """A microphone that delivers silence until it is closed."""

    kind = "microphone"
    name = "silence"
    rate_hz = SAMPLE_RATE_HZ
    channels = 1
    closed = False

    def __iter__(self):
        while not self.closed:
            yield Chunk(np.zeros((800, 1), np.float32), SAMPLE_RATE_HZ, self.name)
            time.sleep(0.01)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def acoustic() -> dict[str, str]:
    return {"encoder": "acoustic"}


def test_a_recording_is_events_with_the_accounts_at_the_end(session_file, acoustic):
    loop = Loop(session_file, buffer=4, **acoustic)
    events = list(loop)
    assert isinstance(events[0], Started)
    assert events[-1] == loop.ended
    assert len(of(Heard, events)) == loop.ended.utterances > 4
    assert len(of(Selected, events)) == -(-loop.ended.utterances // 4)
    loop.close()
    assert not loop.stopped
    assert list(loop) == []


def test_a_temporary_profile_is_gone_at_the_end(session_file, acoustic, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with Loop(session_file, **acoustic) as loop:
        next(iter(loop))
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_what_is_left_early_is_finished_and_can_be_opened_again(session_file, acoustic, tmp_path):
    with Loop(session_file, tmp_path / "p", buffer=3, **acoustic) as loop:
        for event in loop:
            if isinstance(event, Heard):
                break
    assert loop.stopped
    assert loop.ended.utterances >= 1
    profile = Profile(tmp_path / "p")
    assert profile.utterances.counts()["buffered"] == 0
    assert profile.sessions.get(-1).accounting["utterances"] == loop.ended.utterances
    assert profile.take_over("a test")
    profile.close()


def test_an_error_inside_lets_go_at_once(session_file, acoustic, tmp_path):
    loop = Loop(session_file, tmp_path / "p", **acoustic)
    with pytest.raises(ZeroDivisionError), loop:
        raise ZeroDivisionError(next(iter(loop)))
    assert loop.ended is None
    profile = Profile(tmp_path / "p")
    assert profile.take_over("a test")
    profile.close()


def test_another_thread_iterates_and_this_one_stops_it(acoustic, tmp_path):
    source, events = Live(), []
    with Loop(source, tmp_path / "p", **acoustic) as loop:
        thread = threading.Thread(target=lambda: events.extend(loop))
        thread.start()
        while not events:
            time.sleep(0.01)
        assert loop.status().open_queries == 0
        loop.stop()
        thread.join(10)
    assert source.closed
    assert events[-1] == loop.ended
    assert loop.ended.captured_samples == loop.ended.silence_samples > 0


def test_closing_ends_it_while_another_thread_iterates(acoustic, tmp_path):
    source, events = Live(), []
    loop = Loop(source, tmp_path / "p", **acoustic)
    thread = threading.Thread(target=lambda: events.extend(loop))
    thread.start()
    while not events:
        time.sleep(0.01)
    loop.close()
    assert source.closed
    thread.join(10)
    assert not thread.is_alive()
    assert loop.ended is not None


def test_an_answer_is_learned_at_once_and_announced(session_file, acoustic, tmp_path):
    events = []
    with Loop(session_file, tmp_path / "p", buffer=3, annotator="ann", **acoustic) as loop:
        for event in loop:
            events.append(event)
            if isinstance(event, Selected):
                for number in event.asked:
                    loop.label(number, valence=0.5, arousal=-0.25)
                with loop.profile_model() as profile_model:
                    assert profile_model.model.labels == len(of(Learned, events)) + len(event.asked)
            if len(of(Heard, events)) == 1:
                with pytest.raises(NotFound):
                    loop.label(999, valence=0.0, arousal=0.0)
                with pytest.raises(UsageError):
                    loop.label(1)
    asked = [number for event in of(Selected, events) for number in event.asked]
    learned = of(Learned, events)
    assert [event.utterance for event in learned] == asked
    assert [event.labels for event in learned] == list(range(1, len(asked) + 1))
    assert {event.annotator for event in learned} == {"ann"}
    with pytest.raises(UsageError, match="not open"):
        loop.label(1, valence=0.0, arousal=0.0)


def test_under_asyncio_other_tasks_go_on(session_file, acoustic):
    async def play() -> tuple[list[Event], int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.001)

        task = asyncio.create_task(beat())
        events = [event async for event in Loop(session_file, **acoustic)]
        task.cancel()
        return events, beats

    events, beats = asyncio.run(play())
    synchronous = list(Loop(session_file, **acoustic))
    assert [type(event) for event in events] == [type(event) for event in synchronous]
    assert [e.prediction for e in of(Heard, events)] == [
        e.prediction for e in of(Heard, synchronous)
    ]
    assert isinstance(events[-1], Ended)
    assert beats > 10


def test_a_task_that_is_cancelled_lets_go(acoustic, tmp_path):
    source = Live()

    async def listen() -> None:
        async for _ in Loop(source, tmp_path / "p", **acoustic):
            pass

    async def play() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listen(), 1.0)

    asyncio.run(play())
    assert source.closed
    profile = Profile(tmp_path / "p")
    assert profile.take_over("a test")
    profile.close()


def test_what_is_wrong_has_its_type(acoustic, tmp_path):
    with pytest.raises(UsageError, match="nonsense"):
        Loop("a.wav", nonsense=1)
    with pytest.raises(UsageError, match="buffer"):
        Loop("a.wav", buffer=0)
    with pytest.raises(UnreadableAudio):
        list(Loop(tmp_path / "none.wav", tmp_path / "p", **acoustic))
    holder = Profile(tmp_path / "p")
    holder.take_over_or_fail("a test")
    loop = Loop(Live(), tmp_path / "p", **acoustic)
    with pytest.raises(ProfileBusy, match="a test"):
        loop.open()
    holder.close()
    with pytest.raises(UsageError, match="not open"):
        loop.status()


def test_a_connection_that_threads_share_runs_one_transaction_at_a_time(tmp_path):
    """As those of a loop and of its pages: none may end up in the midst of another's."""
    profile = Profile(tmp_path / "p")
    database = profile.database

    def add(number: int) -> None:
        for turn in range(20):
            try:
                with database.transaction():
                    profile.set_meta(f"{number}", f"{turn}")
                    database.rows("SELECT * FROM meta")
                    if turn % 2:
                        raise sqlite3.IntegrityError
            except sqlite3.IntegrityError:
                pass

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [profile.meta(f"{number}") for number in range(4)] == ["18"] * 4
    profile.close()


def test_a_folder_named_like_the_microphone_is_a_folder(tmp_path, monkeypatch, acoustic):
    monkeypatch.chdir(tmp_path)
    Path("microphone").mkdir()
    with pytest.raises(UnreadableAudio, match="microphone"):
        list(Loop(Path("microphone"), tmp_path / "p", **acoustic))


def test_answers_of_another_thread_replay_to_the_last_bit(session_file, acoustic, tmp_path):
    """As the page gives them, while the loop adapts, selects and learns."""
    asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    loop = Loop(session_file, tmp_path / "p", buffer=3, strategy="mixed", **acoustic)

    def answer() -> None:
        rng = np.random.default_rng(5)
        while (number := asked.get()) is not None:
            valence, arousal = rng.uniform(-1, 1, 2)
            loop.label(number, valence=valence, arousal=arousal, emotion="joy")

    thread = threading.Thread(target=answer)
    thread.start()
    events = []
    with loop:
        for event in loop:
            events.append(event)
            for number in event.asked if isinstance(event, Selected) else ():
                asked.put(number)
        asked.put(None)
        thread.join()
    profile = Profile(tmp_path / "p")
    kept, replayed = ProfileModel(profile), ProfileModel(profile)
    kept.catch_up()
    replayed.start_over()
    replayed.catch_up()
    assert kept.model.labels == profile.labels.count() >= len(of(Learned, events)) > 0
    assert same_arrays(kept.model.learner_to_arrays(), replayed.model.learner_to_arrays())
    assert [entry.features is not None for entry in profile.labels.log()] == [
        entry.effective for entry in profile.labels.log()
    ]
    profile.close()


def test_an_answer_that_cannot_be_stored_is_not_learned_either(
    session_file, acoustic, tmp_path, monkeypatch
):
    loop = Loop(session_file, tmp_path / "p", buffer=2, **acoustic)
    with loop:
        events = iter(loop)
        first = next(e for e in events if isinstance(e, Selected))
        loop.label(first.asked[0], valence=0.5, arousal=0.5)
        with loop.profile_model() as profile_model:
            before = profile_model.model.learner_to_arrays()
        second = next(e for e in events if isinstance(e, Selected))
        with monkeypatch.context() as patch:
            patch.setattr(Labels, "learned_with", full_disk)
            with pytest.raises(ProfileError, match="free some disk space"):
                loop.label(second.asked[0], valence=-0.5, arousal=0.5)
        loop.label(first.asked[0], valence=0.5, arousal=0.5, annotator="another")
        with loop.profile_model() as profile_model:
            assert profile_model.model.labels == 2
            assert not same_arrays(profile_model.model.learner_to_arrays(), before)
            assert [e.label.annotator for e in profile_model.profile.labels.log()] == [
                "me", "another",
            ]  # fmt: skip
        learned = of(Learned, list(events))
    assert [event.annotator for event in learned] == ["another"]
