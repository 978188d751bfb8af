"""A session driven over a source: limits, stops, and the accounts when something breaks."""

import itertools
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from streamer.audio.sources.protocol import Source
from streamer.encoders.queue import BackgroundEncoding, SyncEncoding
from streamer.errors import EncoderError, ProfileError, UnreadableAudio
from streamer.events import Ended, Event, Heard, Noticed, Selected, Status
from streamer.loop.session import Session
from streamer.loop.steps import Stopwatch, steps
from streamer.store.profile import Profile
from streamer.store.utterances import Utterances
from streamer.testing import FakeEncoder, Spoken
from streamer.types import Chunk, Gap, Notice, Samples
from tests.sessions import made_session

RATE_HZ = 16_000


class Script:
    """A source that yields what it is given, then raises what it is given."""

    name = "script"
    rate_hz = RATE_HZ
    channels = 1

    def __init__(
        self, items: list[Chunk | Gap | Notice], kind: str = "file", error: Exception | None = None
    ) -> None:
        self.kind = kind
        self.taken = 0
        self._items = items
        self._error = error

    def __iter__(self) -> Iterator[Chunk | Gap | Notice]:
        for item in self._items:
            self.taken += 1
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        pass


class Recorder:
    """The events of one run, and a status at each step."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.statuses: list[Status] = []

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def record(self, source: Source, session: Session, **options: Any) -> None:
        """Raises what the run raises."""
        ticks = itertools.count()
        now_s = options.pop("now_s", lambda: next(ticks) / 100)
        options = {"stop": threading.Event(), "stopwatch": Stopwatch(now_s), **options}
        for event in steps(source, session, now_s=now_s, **options):
            if event is None:
                self.statuses.append(session.status())
            else:
                self.events.append(event)


@pytest.fixture
def session(profile: Profile) -> Session:
    return made_session(profile, source=("file", "script"))


def chunks(audio: Samples, size: int = 4_000) -> list[Chunk | Gap | Notice]:
    starts = range(0, len(audio), size)
    return [Chunk(audio[s : s + size, np.newaxis], RATE_HZ, "script") for s in starts]


def play(session: Session, source: Script, **options: Any) -> Recorder:
    recorder = Recorder()
    recorder.record(source, session, **options)
    return recorder


def test_all_is_heard_and_the_last_buffer_is_split(
    session: Session, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    recorder = play(session, Script([*chunks(spoken_session[0]), Notice("over")]))
    assert len(recorder.of(Heard)) == 12
    (selection,) = recorder.of(Selected)
    assert len(selection.asked) == len(selection.released) == 6
    assert recorder.of(Noticed) == [Noticed("over")]
    (ended,) = recorder.of(Ended)
    assert ended is recorder.events[-1]
    assert ended.captured_samples == len(spoken_session[0])
    assert ended.realtime_factor > 0
    assert recorder.statuses[-1].utterances == 12


def test_an_error_in_the_middle_still_closes_the_accounts(
    session: Session, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio = spoken_session[0][: 20 * RATE_HZ]
    source = Script(chunks(audio), error=UnreadableAudio("broken"))
    recorder = Recorder()
    with pytest.raises(UnreadableAudio):
        recorder.record(source, session)
    assert len(recorder.of(Selected)) == 1
    (ended,) = recorder.of(Ended)
    assert ended.captured_samples == len(audio)
    assert ended.captured_samples == ended.speech_samples + ended.silence_samples


class Failing(FakeEncoder):
    """It fails at the utterances of these numbers, from 0."""

    def __init__(self, *at: int) -> None:
        super().__init__()
        self.at = at
        self.calls = itertools.count()

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        if next(self.calls) in self.at:
            raise EncoderError("no memory left")
        return super().encode(audio)


@pytest.mark.parametrize("make", [SyncEncoding, partial(BackgroundEncoding, patience_s=0.0)])
@pytest.mark.parametrize("at", [(3,), (3, 4), (11,), tuple(range(12))])
def test_what_an_error_keeps_from_the_store_is_counted_as_lost(
    session: Session, profile: Profile, spoken_session: tuple[Samples, list[Spoken]], make, at
) -> None:
    session._encoding_queue = make(Failing(*at))
    recorder = Recorder()
    with pytest.raises(EncoderError):
        recorder.record(Script(chunks(spoken_session[0])), session)
    (ended,) = recorder.of(Ended)
    stored = [profile.utterances.get(number) for number in profile.utterances.numbers()]
    assert ended.utterances == len(stored) == len(recorder.of(Heard)) < 12
    lengths = [round(RATE_HZ * (one.offset_s - one.onset_s)) for one in stored]
    assert ended.speech_samples == sum(lengths)
    assert ended.dropped_samples["not_stored"] > 0
    parts = ended.speech_samples + ended.silence_samples + sum(ended.dropped_samples.values())
    assert ended.captured_samples == parts


def test_the_opening_that_fails_still_closes_the_accounts(session: Session) -> None:
    def opening() -> Iterator[Event]:
        yield Noticed("first")
        raise ProfileError("the disk is full")

    recorder = Recorder()
    with pytest.raises(ProfileError, match="the disk is full"):
        recorder.record(Script(chunks(np.zeros(8_000, np.float32))), session, opening=opening())
    assert [type(event) for event in recorder.events] == [Noticed, Ended]
    assert recorder.events[-1].captured_samples == 0


def test_a_defect_still_closes_the_accounts(session: Session) -> None:
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError):
        recorder.record(Script([Notice("a")], error=ZeroDivisionError()), session)
    assert [type(event) for event in recorder.events] == [Noticed, Ended]


def test_a_count_that_cannot_be_read_is_no_reason_to_stop(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> int:
        raise ProfileError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(Utterances, "open_query_count", locked)
        assert session.status().open_queries == 0
    assert session.status().open_queries == 0


@pytest.mark.parametrize("max_seconds", [0.0, 0.3, 1.0, 1.1])  # 1.1 leaves 8e-17 of nothing
def test_the_limit_is_kept_to_the_sample(session: Session, max_seconds: float) -> None:
    source = Script(chunks(np.zeros(100_000, np.float32)))
    recorder = play(session, source, max_seconds=max_seconds)
    assert recorder.of(Ended)[0].captured_samples == round(max_seconds * RATE_HZ)
    assert source.taken < 10


def test_less_than_half_a_sample_is_not_waited_for(session: Session) -> None:
    source = Script([Chunk(np.zeros((4_000, 1), np.float32), 11_025, "script")] * 1_000)
    recorder = play(session, source, max_seconds=135_607.4 / 11_025)
    assert recorder.of(Ended)[0].captured_samples == 135_607
    assert source.taken < 40


def test_lost_samples_count_towards_the_limit(session: Session) -> None:
    items = [*chunks(np.zeros(4_000, np.float32)), Gap(16_000, "device_lost")]
    recorder = play(session, Script([*items, *items, *items]), max_seconds=1.2)
    (ended,) = recorder.of(Ended)
    assert ended.captured_samples == 20_000
    assert ended.dropped_samples == {"device_lost": 16_000}


def test_a_live_source_that_delivers_nothing_ends_in_time(session: Session) -> None:
    tick = Chunk(np.zeros((0, 1), np.float32), RATE_HZ, "script")
    recorder = play(session, Script([tick] * 10_000, kind="microphone"), max_seconds=2.0)
    assert recorder.of(Ended)[0].captured_samples == 0


def test_a_stop_is_obeyed_at_the_next_item(session: Session) -> None:
    stop = threading.Event()
    stop.set()
    source = Script(chunks(np.zeros(100_000, np.float32)))
    recorder = play(session, source, stop=stop)
    assert source.taken == 1
    assert recorder.of(Ended)[0].captured_samples == 4_000
