"""The clock on the wall is set while Streamer runs: nothing becomes old, or young, by that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.audio.clips import to_flac
from streamer.events import Heard, Noticed
from streamer.loop.clip_cache import ClipCache
from streamer.loop.retention import Retention
from streamer.loop.session import EXPIRE_EVERY_S, Session
from streamer.store.profile import Profile
from streamer.testing import Spoken
from streamer.types import Chunk, Samples
from tests.sessions import made_session
from tests.support import bound_profile, store_utterance

YEAR_S = 365 * 86_400.0
DAY_S = 86_400.0
NOW_S = 1_790_000_000.0


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
    return made_session(
        profile,
        begun_s=clocks.wall_s,
        size=2,
        keep=1.0,
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
    clocks.pass_by(EXPIRE_EVERY_S)
    assert not list(session.expire())
    clocks.pass_by(31 * DAY_S)
    (told,) = session.expire()
    assert "questions closed" in told.text


def started(folder: Path, wall_s: float) -> tuple[int, list[str]]:
    """A session that only starts, with the clock on the wall so; open questions, and what it says.

    The steady clock begins anew with every boot.
    """
    profile = Profile(folder)
    try:
        retention = Retention(
            profile, to_flac, ClipCache(), "everything", query_life_s=30 * DAY_S,
            audio_life_s=30 * DAY_S,
        )  # fmt: skip
        told = list(retention.expire(wall_s, 5.0))
        return profile.utterances.open_query_count(), told
    finally:
        profile.close()


@pytest.fixture
def lived_in(tmp_path: Path) -> Path:
    folder = tmp_path / "profile"
    profile = bound_profile(folder)
    for _ in range(3):
        number = store_utterance(profile)
        profile.utterances.select("random", "", [(number, 0.5, b"clip")], [], NOW_S)
        profile.audio.keep(number, b"audio", NOW_S)
    profile.close()
    started(folder, NOW_S)
    return folder


@pytest.mark.parametrize("wrong_s", [31 * DAY_S, 400 * DAY_S, -NOW_S, -NOW_S + 100.0])
def test_a_start_with_a_wrong_clock_deletes_nothing(lived_in: Path, wrong_s: float) -> None:
    for wall_s in (NOW_S + wrong_s, NOW_S + 60.0, NOW_S + wrong_s, NOW_S + 120.0):
        assert started(lived_in, wall_s) == (3, [])


def test_a_board_that_starts_in_1970_each_day_grows_old_as_the_days_pass(lived_in: Path) -> None:
    for day in range(1, 30):
        assert started(lived_in, 100.0) == (3, [])
        assert started(lived_in, NOW_S + day * DAY_S) == (3, [])
    assert started(lived_in, 100.0) == (3, [])
    left, told = started(lived_in, NOW_S + 30 * DAY_S)
    assert left == 0
    assert told == [
        "3 questions closed: not answered in time",
        "the audio of 3 utterances deleted: older than audio_days",
    ]


def test_what_lies_unused_ages_by_a_day_and_what_listens_by_its_own_time(lived_in: Path) -> None:
    assert started(lived_in, NOW_S + 200 * DAY_S) == (3, [])
    profile = Profile(lived_in)
    retention = Retention(profile, to_flac, ClipCache(), query_life_s=30 * DAY_S)
    wrong_s = 50.0  # the clock stands in 1970 all the time
    assert not list(retention.expire(wrong_s, 0.0))
    assert not list(retention.expire(wrong_s, 28.9 * DAY_S))
    assert "3 questions closed" in next(retention.expire(wrong_s, 29.0 * DAY_S))
    profile.close()


def test_the_age_of_thousands_is_kept_small_and_never_too_old(tmp_path: Path) -> None:
    profile = bound_profile(tmp_path / "profile")
    lived = profile.lived_time
    born_s = {store_utterance(profile): 0.0}
    with profile.database.transaction():
        for hour in range(3_000):
            lived.advance(NOW_S + 3600.0 * hour, 3600.0 * hour)
            born_s[store_utterance(profile)] = 3600.0 * hour
    kept = profile.meta("lived")
    assert kept is not None
    assert len(kept) < 40_000
    again = Profile(tmp_path / "profile").lived_time
    for days in (1, 10, 60, 120):
        newest = again.newest_of_age(days * DAY_S)
        age_s = 3600.0 * 2_999 - born_s[newest]
        assert days * DAY_S <= age_s <= 1.2 * days * DAY_S + 2 * 3600.0
    profile.close()
