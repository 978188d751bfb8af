"""The clock on the wall is set while Streamer runs: nothing becomes old, or young, by that."""

from collections.abc import Iterator
from functools import partial

import pytest

from streamer.audio.clips import to_flac
from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.encoders.queue import SyncEncoding
from streamer.events import Heard, Noticed
from streamer.learners.prior import Prior
from streamer.loop.clip_cache import ClipCache
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.loop.session import Session
from streamer.query.strategies import make_strategy
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.store.profile import Profile
from streamer.testing import FakeEncoder, FakeVoiceActivity, Spoken
from streamer.types import Chunk, Samples

YEAR_S = 365 * 86_400.0
DAY_S = 86_400.0


class Clocks:
    """wall_s can be set; steady_s only goes on."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1_000_000_000.0, 0.0

    def pass_by(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def session(profile: Profile, clocks: Clocks) -> Session:
    encoder = FakeEncoder()
    profile.bind(encoder.name, encoder.sha256, Prior.uninformed(16, 8))
    return Session(
        number=profile.sessions.begin("microphone", "made up", clocks.wall_s),
        utterance_stream=UtteranceStream(
            Endpointer(FakeVoiceActivity()), partial(Resampler, channel=None)
        ),
        encoding_queue=SyncEncoding(encoder),
        profile=profile,
        profile_model=ProfileModel(profile),
        strategy=make_strategy("random"),
        informativeness=BinaryConfidence(),
        size=2,
        keep=1.0,
        explore=0.0,
        seed=0,
        retention=Retention(profile, to_flac, ClipCache(), query_life_s=30 * DAY_S),
        wall_s=lambda: clocks.wall_s,
        now_s=lambda: clocks.steady_s,
    )


def hear(session: Session, audio: Samples, clocks: Clocks) -> Iterator[object]:
    for start in range(0, len(audio), 8_000):
        clocks.pass_by(0.5)
        yield from session.process(Chunk(audio[start : start + 8_000, None], 16_000, "made up"))
        yield from session.expire()


@pytest.mark.parametrize("jump_s", [2 * YEAR_S, -2 * YEAR_S, -1_000_000_000.0])
def test_a_jump_closes_no_question_and_keeps_none_for_ever(
    profile: Profile,
    session: Session,
    clocks: Clocks,
    spoken_session: tuple[Samples, list[Spoken]],
    jump_s: float,
) -> None:
    audio, _ = spoken_session
    events = list(hear(session, audio, clocks))
    asked = profile.utterances.open_query_count()
    assert asked > 0
    clocks.wall_s += jump_s
    events += hear(session, audio, clocks)
    assert not [event for event in events if isinstance(event, Noticed)]
    heard = [event for event in events if isinstance(event, Heard)]
    assert [event.id for event in heard] == list(range(1, len(heard) + 1))
    assert all(event.latency_ms >= 0 for event in heard)
    after = profile.utterances.open_query_count()
    assert after >= 2 * asked - 2
    clocks.pass_by(31 * DAY_S)
    (told,) = session.expire()
    assert "questions closed" in told.text
