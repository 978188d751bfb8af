"""Pages and loop in one process: an answer goes straight into the loop's own model."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamer.annotation import session as annotation_session
from streamer.config import Config
from streamer.events import Event, Learned, Unlearned
from streamer.loop.loop import Loop
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.web.bind import Address
from streamer.web.server import serving
from tests.loop.test_loop import Live, of
from tests.support import same_arrays
from tests.web.api.test_answers import answer, got, item_of, posted
from tests.web.conftest import Client, client_of, eventually


@dataclass
class Running:
    """A loop that hears silence, and a browser on its pages."""

    loop: Loop
    client: Client
    events: list[Event]
    thread: threading.Thread


@pytest.fixture
def running(tmp_path: Path, session_file: Path) -> Iterator[Running]:
    config = Config(profile=str(tmp_path / "p"), home=tmp_path, encoder="acoustic", keep=1.0)
    for _ in Loop(session_file, config=config):
        pass
    events: list[Event] = []
    with Loop(Live(), config=config) as loop, serving(config, Address("127.0.0.1", 0), loop) as on:
        client = client_of(on)
        client.enter()
        thread = threading.Thread(target=lambda: events.extend(loop))
        thread.start()
        yield Running(loop, client, events, thread)
        loop.stop()
        thread.join(10)


def test_no_model_is_read_from_the_store_and_the_change_is_in_the_reply(running, monkeypatch):
    monkeypatch.setattr(annotation_session, "ProfileModel", None)
    for labels in (1, 2, 3):
        number = item_of(running.client)
        saved = answer(running.client, number, emotion="joy")
        was, now = saved["predicted"]["valence"]["mean"], saved["now"]["valence"]["mean"]
        assert abs(now - 0.5) < abs(was - 0.5)
        with running.loop.profile_model() as profile_model:
            assert profile_model.model.labels == labels
    assert eventually(lambda: len(of(Learned, running.events)) == 3)
    assert [event.labels for event in of(Learned, running.events)] == [1, 2, 3]
    assert got(running.client, "/api/emotions")["emotions"][0]["count"] == 3


def test_an_undo_and_a_correction_are_learned_by_it_too(running):
    first = item_of(running.client)
    answer(running.client, first)
    answer(running.client, item_of(running.client))
    assert posted(running.client, "/api/undo", annotator="me")["item"]["utterance"] != first
    posted(
        running.client,
        "/api/corrections",
        utterance=first,
        annotator="me",
        valence=-0.5,
        arousal=0.5,
    )
    assert eventually(lambda: len(of(Unlearned, running.events)) == 2)
    with running.loop.profile_model() as profile_model:
        arrays = profile_model.model.learner_to_arrays()
        replayed = ProfileModel(profile_model.profile)
        replayed.start_over()
        replayed.catch_up()
        assert same_arrays(arrays, replayed.model.learner_to_arrays())
        assert profile_model.model.labels == 1


def test_an_answered_clip_leaves_the_log_at_the_loops_next_step(running, tmp_path):
    number = item_of(running.client)
    profile = Profile(tmp_path / "p")
    clip = profile.audio.clip(number)
    answer(running.client, number)
    assert profile.audio.clip(number) is None
    profile.close()
    files = [tmp_path / "p" / name for name in ("profile.db", "profile.db-wal")]
    assert eventually(lambda: all(clip[:200] not in file.read_bytes() for file in files))


def test_when_the_loop_has_ended_the_pages_learn_by_themselves(running):
    answer(running.client, item_of(running.client))
    running.loop.stop()
    running.thread.join(10)
    assert answer(running.client, item_of(running.client))["now"] is not None
    assert got(running.client, "/api/next")["progress"]["answered"] == 2


def test_a_save_does_not_wait_for_the_loops_own_lock(running):
    """Which it holds as long as it listens; it was once waited for in vain."""
    took_s = []
    for _ in range(5):
        number = item_of(running.client)
        begun_s = time.perf_counter()
        answer(running.client, number)
        took_s.append(time.perf_counter() - begun_s)
    assert min(took_s) < 0.1
