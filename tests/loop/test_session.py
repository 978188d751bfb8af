"""The flow: what a session says, stores and learns, with real parts throughout."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.clips import from_flac, to_flac
from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.audio.vad import SileroVoiceActivity
from streamer.encoders.queue import SyncEncoding
from streamer.errors import ProfileError
from streamer.events import Event, Heard, Learned, Selected, Unlearned
from streamer.learners.affective_norms import affective_norm
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.loop.budget import UNLIMITED, Budget
from streamer.loop.clip_cache import ClipCache
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.loop.session import Session
from streamer.profiles.status import status_row
from streamer.query.strategies import STRATEGIES, make_strategy
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.store.profile import Profile
from streamer.terminal.tables import status_lines
from streamer.testing import FakeEncoder, Spoken
from streamer.types import Chunk, Label, Samples

ENCODER = FakeEncoder()


def make_session(
    profile: Profile,
    size: int = 4,
    keep: float = 0.5,
    explore: float = 0.0,
    strategy: str = "binary-confidence",
    first: int | None = None,
    budget: Budget = UNLIMITED,
    wall_s: Callable[[], float] = lambda: 1_000.0,
) -> Session:
    profile.bind(ENCODER.name, ENCODER.sha256, Prior.uninformed(16, 8))
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    ticks = itertools.count()
    return Session(
        number=profile.sessions.begin("file", "made up", 0.0),
        utterance_stream=UtteranceStream(
            Endpointer(SileroVoiceActivity()), partial(Resampler, channel=None)
        ),
        encoding_queue=SyncEncoding(ENCODER),
        profile=profile,
        profile_model=profile_model,
        strategy=make_strategy(strategy),
        informativeness=BinaryConfidence(),
        size=size,
        first=first,
        keep=keep,
        explore=explore,
        seed=0,
        retention=Retention(profile, to_flac, ClipCache()),
        wall_s=wall_s,
        now_s=lambda: float(next(ticks)),
        budget=budget,
    )


def play(session: Session, audio: Samples, chunk: int = 8_000) -> Iterator[Event]:
    for start in range(0, len(audio), chunk):
        yield from session.process(
            Chunk(audio[start : start + chunk, np.newaxis], 16_000, "made up")
        )


def answer(number: int, spoken: Spoken) -> Label:
    valence, arousal, dominance = affective_norm(spoken.emotion) or (0.0, 0.0, 0.0)
    return Label(number, valence, arousal, dominance, spoken.emotion, "me")


def of(kind: type, events: list[Event]) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_each_utterance_is_told_and_stored_alike(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio, truth = spoken_session
    session = make_session(profile)
    events = [*play(session, audio), *session.finish()]
    heard = of(Heard, events)
    assert len(heard) == len(truth)
    for event in heard:
        stored = profile.utterances.get(event.id)
        assert stored.prediction == event.prediction
        assert stored.verdict == event.verdict
        assert (stored.onset_s, stored.offset_s) == (event.onset_s, event.offset_s)


def test_the_first_buffers_of_a_profile_are_small_and_grow(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    def sizes(session: Session) -> list[int]:
        events = [*play(session, spoken_session[0]), *session.finish()]
        return [len(s.asked) + len(s.released) for s in of(Selected, events)]

    session = make_session(profile, size=5, first=2)
    assert session.status().buffer == (0, 2)
    assert sizes(session) == [2, 4, 5, 1]
    assert session.status().buffer == (0, 5)
    again = make_session(profile, size=5, first=2)  # the next session goes on where this one was
    assert again.status().buffer == (0, 5)


def test_half_of_each_buffer_is_asked_and_only_that_half_leaves_audio(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    session = make_session(profile, size=5)
    events = [*play(session, spoken_session[0]), *session.finish()]
    selections = of(Selected, events)
    assert [(len(s.asked), len(s.released)) for s in selections] == [(3, 2), (3, 2), (1, 1)]
    asked = {number for s in selections for number in s.asked}
    released = {number for s in selections for number in s.released}
    assert asked | released == {event.id for event in of(Heard, events)}
    assert not asked & released
    assert {query.utterance.id for query in profile.queries.open()} == asked
    for number in released:
        assert profile.audio.clip(number) is None
        assert profile.utterances.get(number).state == "released"
    for number in asked:
        stored = profile.utterances.get(number)
        clip = from_flac(profile.audio.clip(number) or b"")
        assert len(clip) == pytest.approx((stored.offset_s - stored.onset_s) * 16_000, abs=2)
    ended = session.ended(1.0)
    assert (ended.utterances, ended.asked, ended.released) == (12, 7, 5)


def test_a_part_of_the_questions_is_drawn_at_random_and_marked(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    session = make_session(profile, size=6, explore=0.5)
    events = [*play(session, spoken_session[0]), *session.finish()]
    selections = of(Selected, events)
    assert [len(s.asked) for s in selections] == [3, 3]
    explored = {number for s in selections for number in s.explored}
    assert 2 <= len(explored) <= 4  # one or two of three
    assert all(set(s.explored) <= set(s.asked) for s in selections)
    rows = profile.database.rows("SELECT utterance, explored, propensity FROM queries")
    assert {row["utterance"] for row in rows if row["explored"]} == explored
    assert {row["propensity"] for row in rows} == {0.25}


@pytest.mark.parametrize("name", [*STRATEGIES, "k-means+binary-confidence"])
def test_every_strategy_serves_a_running_session(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]], name: str
) -> None:
    audio, truth = spoken_session
    session = make_session(profile, size=4, explore=0.3, strategy=name)
    reasons = []
    for event in play(session, audio):
        if isinstance(event, Selected):
            reasons.append(event.reason)
            assert event.strategy == name
            assert (len(event.asked), len(event.released)) == (2, 2)
            first = event.buffer * 4 - 3
            # All of the buffer, asked or not, so that there is something to go on.
            labels = [answer(n, truth[n - 1]) for n in range(first, first + 4)]
            profile.labels.add(labels, 0.0)
            list(session.learn())
    assert len(reasons) == 3
    assert name == "random" or not reasons[-1].startswith("at random")


@pytest.mark.parametrize(("keep", "asked"), [(0.0, 0), (1.0, 12)])
def test_nothing_or_everything_can_be_asked(
    profile: Profile,
    spoken_session: tuple[Samples, list[Spoken]],
    keep: float,
    asked: int,
) -> None:
    session = make_session(profile, size=5, keep=keep)
    events = [*play(session, spoken_session[0]), *session.finish()]
    assert sum(len(s.asked) for s in of(Selected, events)) == asked


def test_selection_is_random_with_a_reason_until_both_classes_are_there(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio, truth = spoken_session
    session = make_session(profile, size=4)
    reasons = []
    for event in play(session, audio):
        if isinstance(event, Selected):
            reasons.append(event.reason)
            first = event.buffer * 4 - 3
            every = range(first, first + 4)
            profile.labels.add([answer(n, truth[n - 1]) for n in every], 0.0)
            assert len(of(Learned, list(session.learn()))) == 4
    assert "at random" in reasons[0]
    assert "too few" in reasons[0]
    assert reasons[-1].startswith("least sure of")


def test_labels_change_predictions_and_undo_restores_them(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio, truth = spoken_session
    session = make_session(profile)
    heard = of(Heard, [*play(session, audio), *session.finish()])
    model = session._profile_model.model
    utterance = profile.utterances.get(heard[0].id)
    before = model.predict(utterance)
    profile.labels.add([answer(e.id, t) for e, t in zip(heard[:6], truth, strict=False)], 0.0)
    learned = of(Learned, list(session.learn()))
    assert [event.labels for event in learned] == [1, 2, 3, 4, 5, 6]
    after = model.predict(utterance)
    assert after.arousal != before.arousal
    assert set(model.prototypes) == {spoken.emotion for spoken in truth[:6]}
    profile.labels.undo(6, 0.0)
    assert of(Unlearned, list(session.learn())) == [Unlearned(0)]
    assert model.predict(utterance) == before
    assert model.prototypes == {}


def test_a_restart_in_the_middle_changes_nothing(
    tmp_path: Path, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio, truth = spoken_session
    cut = round((truth[7].offset_s + truth[8].onset_s) / 2 * 16_000)

    def hear(folder: str, restart: bool) -> list[Heard]:
        profile = Profile(tmp_path / folder)
        session = make_session(profile)
        events = [
            *play(session, audio[:cut]),
            *session._encode(session._utterance_stream.finish()),
        ]
        profile.labels.add([answer(n, truth[n - 1]) for n in (1, 3, 4, 6)], 0.0)
        list(session.learn())
        if restart:  # as after a kill: nothing is saved on the way out
            profile.close()
            profile = Profile(tmp_path / folder)
            session = make_session(profile)
        events += [*play(session, audio[cut:]), *session.finish()]
        profile.close()
        return of(Heard, events)

    unbroken, broken = hear("a", restart=False), hear("b", restart=True)
    assert [e.prediction for e in unbroken] == [e.prediction for e in broken]
    assert [e.verdict for e in unbroken] == [e.verdict for e in broken]
    assert [e.informativeness for e in unbroken] == [e.informativeness for e in broken]


def test_what_a_killed_process_had_in_its_buffer_is_let_go(
    tmp_path: Path, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    profile = Profile(tmp_path / "p")
    list(play(make_session(profile, size=100), spoken_session[0]))
    profile.close()
    again = Profile(tmp_path / "p")
    assert again.utterances.counts()["buffered"] > 5
    count = again.utterances.counts()["buffered"]
    assert again.utterances.release_orphans() == count
    assert again.utterances.counts() == {"buffered": 0, "asked": 0, "released": count}
    again.close()


def test_an_utterance_that_could_not_be_stored_leaves_no_trace_in_what_is_usual(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    session = make_session(profile, size=100)
    database = profile.database
    half = len(spoken_session[0]) // 2
    list(play(session, spoken_session[0][:half]))
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages}")  # a disk with no room left
    with pytest.raises(ProfileError, match="disk space"):
        list(play(session, np.tile(spoken_session[0][half:], 5)))
    database.rows("PRAGMA max_page_count = 1000000")
    list(session.finish())
    list(play(session, spoken_session[0][:half]))
    replayed = RunningNormalization(np.zeros(16), np.ones(16))
    for number in profile.utterances.numbers():
        replayed.update(profile.utterances.get(number).embedding.astype(np.float64))
    kept = profile.load_state("usual")
    assert kept is not None
    assert np.array_equal(kept[0]["embedding/mean"], replayed.mean)
    assert kept[0]["embedding/count"] == len(profile.utterances.numbers())


@pytest.mark.parametrize(
    ("budget", "counts"),
    [
        (Budget.parse("4/session"), [(3, 2), (1, 4), (0, 2)]),
        (Budget.parse("2/day"), [(2, 3), (0, 5), (0, 2)]),
        # By the hour, or in quiet hours, the others wait until the end.
        (Budget.parse("2/hour"), [(2, 2), (0, 4), (0, 2), (0, 2)]),
        (Budget.parse("", "00:00-23:59"), [(0, 2), (0, 2), (0, 1), (0, 7)]),
    ],
)
def test_beyond_a_budget_nothing_is_asked_and_it_is_counted(
    profile: Profile,
    spoken_session: tuple[Samples, list[Spoken]],
    budget: Budget,
    counts: list[tuple[int, int]],
) -> None:
    session = make_session(profile, size=5, budget=budget)
    events = [*play(session, spoken_session[0]), *session.finish()]
    assert [(len(s.asked), len(s.released)) for s in of(Selected, events)] == counts
    asked = sum(number for number, _ in counts)
    assert profile.not_asked() == 7 - asked
    assert profile.queries.count("me") == asked


def test_what_an_hour_did_not_allow_is_asked_as_it_moves_on_the_most_informative_first(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    wall_s = [1_000.0]
    budget = Budget.parse("3/hour")
    session = make_session(profile, size=6, budget=budget, wall_s=lambda: wall_s[0])
    events = of(Selected, list(play(session, spoken_session[0])))
    assert [len(e.asked) for e in events] == [3, 0]
    assert "waiting until the budget allows them: 3" in status_lines(status_row(profile))
    silent = {*events[0].released, *events[1].released}
    waiting = set(profile.utterances.numbers()) - silent - set(events[0].asked)
    assert all(profile.audio.clip(number) is None for number in waiting)
    wall_s[0] += 1_800.0
    assert not of(Selected, list(session.expire()))
    wall_s[0] += 1_801.0
    for _ in range(10):  # the store is looked at now and then
        events += of(Selected, list(session.expire()))
    asked = events[2].asked
    assert set(asked) == waiting
    scores = [query.score for query in profile.queries.open() if query.utterance.id in waiting]
    assert [q.utterance.id for q in profile.queries.open() if q.utterance.id in waiting] == asked
    assert scores == sorted(scores, reverse=True)
    assert all(profile.audio.clip(number) for number in asked)
    assert (profile.waiting_to_be_asked(), profile.not_asked()) == (0, 0)
