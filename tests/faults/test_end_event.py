"""The last event is always `end`, wherever in a run the disk turns out to be full."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.endpointer import Endpointer
from streamer.config import Config
from streamer.errors import ProfileError
from streamer.events import Ended, Event, Started
from streamer.learners.prior import Prior
from streamer.loop import compose, loop, opening
from streamer.store.database import Database
from streamer.store.profile import Profile
from streamer.testing import FakeEncoder, FakeVoiceActivity, synthetic_session
from streamer.types import SAMPLE_RATE_HZ, Chunk, Samples


class Spoken:
    """A source of one chunk."""

    kind = "file"
    name = "made.wav"
    rate_hz = SAMPLE_RATE_HZ
    channels = 1

    def __init__(self, audio: Samples) -> None:
        self._audio = audio

    def __iter__(self) -> Iterator[Chunk]:
        yield Chunk(self._audio[:, np.newaxis], SAMPLE_RATE_HZ, self.name)

    def close(self) -> None:
        pass


class FillingUp:
    """The disk is full from the statement of this number on, counted over the whole run.

    SQLite itself says so: its file may not grow, and it is told to write something long.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.statements = 0

    def before(self, database: Database) -> None:
        self.statements += 1
        if self.statements >= self.at:
            connection = database._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            long = "x" * 1_000_000
            connection.execute("INSERT INTO meta (key, value) VALUES ('long', ?)", (long,))


@pytest.fixture(scope="module")
def spoken() -> Samples:
    return synthetic_session(np.random.default_rng(3), 2)[0]


def run(folder: Path, audio: Samples, disk: FillingUp) -> tuple[list[Event], str]:
    """Events of a run whose disk fills up, and its error."""
    events: list[Event] = []
    write, change, begin = Database.write, Database.change, Database.transaction

    def counted(method):  # type: ignore[no-untyped-def]
        def call(self, *values, **options):  # type: ignore[no-untyped-def]
            with self._statement():
                disk.before(self)
            return method(self, *values, **options)

        return call

    def bind(config: Config, profile: Profile) -> FakeEncoder:
        encoder = FakeEncoder()
        profile.bind(encoder.name, encoder.sha256, Prior.uninformed(16, 8))
        return encoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "bind_encoder", bind)  # a real one takes most of the test's time
        patch.setattr(compose, "make_endpointer", lambda *_: Endpointer(FakeVoiceActivity()))
        patch.setattr(opening, "_licence", lambda *_: ())
        for name, method in (("write", write), ("change", change), ("transaction", begin)):
            patch.setattr(Database, name, counted(method))
        try:
            with loop.Loop(Spoken(audio), folder, buffer=2) as listening:
                events.extend(listening)
        except ProfileError as error:
            return events, str(error)
    return events, ""


def test_it_is_the_last_at_whichever_statement_the_disk_is_full(
    tmp_path: Path, spoken: Samples
) -> None:
    counted = FillingUp(10**9)
    events, error = run(tmp_path / "whole", spoken, counted)
    assert (error, type(events[-1])) == ("", Ended)
    begun = 0
    # The first one is the schema's.
    for at in range(2, counted.statements + 1):
        events, error = run(tmp_path / f"full at {at}", spoken, FillingUp(at))
        assert "free some disk space" in error
        if events:
            begun += 1
            assert isinstance(events[0], Started)
            assert isinstance(events[-1], Ended), at
        with suppress(FileNotFoundError), closing(Profile(tmp_path / f"full at {at}")) as profile:
            assert profile.database.damage() == []
    assert begun > 10
