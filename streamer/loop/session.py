"""The complete flow, from top to bottom: process, predict, select, learn.

    chunk -> utterances -> embedding -> prediction and verdict -> stored -> event
          -> buffer of N -> the informative half becomes queries, the rest is released
    label -> stored first, then learned

It contains no thread, socket, clock or SQL: they are passed to the constructor.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Final

from streamer.audio.sources.playback_mask import PLAYBACK
from streamer.audio.utterance_stream import UtteranceStream
from streamer.encoders.queue import Encoded, EncodingQueue
from streamer.errors import ProfileError
from streamer.events import (
    Drifted,
    Ended,
    Event,
    Heard,
    Learned,
    Noticed,
    Status,
    Unlearned,
)
from streamer.loop.asking import Asking, Buffered
from streamer.loop.assessment import assess
from streamer.loop.backlog import LOCKED, Backlog
from streamer.loop.budget import UNLIMITED, Budget
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.loop.study import Study
from streamer.loop.unstored import NOT_STORED, TOO_SLOW, Unstored
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.query.strategy import Strategy
from streamer.store.profile import Profile
from streamer.text import many
from streamer.types import Chunk, Gap, Notice, Quality, Samples, Utterance

EXPIRE_EVERY_S: Final = 600.0
CHECK_EVERY_S: Final = 5.0


class Session:
    """One run of the loop over one source.

    informativeness: scores each utterance in its event, whatever the strategy;
    size: utterances in a buffer; first: in the profile's first one, see `buffer_size`; keep: part
    of it that is asked, in [0, 1]; explore: part of the asked that is drawn at random, in [0, 1];
    seed: of every random choice; ask_unclear: ask about utterances that noise or clipping spoiled,
    too; keeping: which audio is kept; wall_s: seconds since 1970, for the rows; now_s: a steady
    clock, for latencies; budget: how many questions there may be; backlog: what waits while the
    database is locked; describe: takes the audio of each utterance once it is stored, and does not
    wait; study: event markers, and a protocol, if any.
    """

    def __init__(
        self,
        *,
        number: int,
        utterance_stream: UtteranceStream,
        encoding_queue: EncodingQueue,
        profile: Profile,
        profile_model: ProfileModel,
        strategy: Strategy,
        informativeness: BinaryConfidence,
        size: int,
        first: int | None = None,
        keep: float,
        explore: float,
        seed: int,
        ask_unclear: bool = False,
        retention: Retention,
        wall_s: Callable[[], float],
        now_s: Callable[[], float],
        budget: Budget = UNLIMITED,
        backlog: Backlog | None = None,
        describe: Callable[[int, Samples, Quality], None] | None = None,
        study: Study | None = None,
    ) -> None:
        self.number = number
        self._utterance_stream = utterance_stream
        self._encoding_queue = encoding_queue
        self._profile = profile
        self._profile_model = profile_model
        self._asking = Asking(
            profile=profile, profile_model=profile_model, strategy=strategy, size=size,
            first=first, keep=keep, explore=explore, seed=seed, retention=retention,
            wall_s=wall_s, budget=budget, study=study,
        )  # fmt: skip
        self._describe = describe
        self._study = study
        self._ask_unclear = ask_unclear
        self._retention = retention
        self._wall_s = wall_s
        self._now_s = now_s
        self._expired_s = self._checked_s = -math.inf
        self._scorer = informativeness
        self._unstored = Unstored(utterance_stream)
        self._backlog = Backlog(profile.database) if backlog is None else backlog
        self._utterances = 0
        self._open_queries = 0
        self._recount = True
        self._playing = False

    def process(self, item: Chunk | Gap | Notice) -> Iterator[Event]:
        """All events caused by one item of the source."""
        if isinstance(item, Gap):
            self._playing = item.reason == PLAYBACK
        elif isinstance(item, Chunk) and len(item.samples):
            self._playing = False
        if isinstance(item, Notice):
            yield Noticed(item.text, item.kind)
            return
        utterances = self._utterance_stream.hear(item)
        if self._study is not None:
            self._study.hear(item)
        yield from self._sound_notices()
        yield from self._encode(utterances)
        yield from self._follow_study()

    @property
    def is_over(self) -> bool:
        """Whether the protocol of a study has ended."""
        return self._study is not None and self._study.is_over

    def learn(self) -> Iterator[Event]:
        """Learn the labels stored since the last call, by any process."""
        yield from self._backlog.attempt(self._learn)

    @property
    def must_wait(self) -> bool:
        """Whether the source has to wait, by `catch_up`, as the database is locked."""
        return self._backlog.must_wait

    def catch_up(self) -> Iterator[Event]:
        """Store what waits for the database, once it can be written."""
        yield from self._store_backlog(waits=True)

    def _learn(self) -> Iterator[Event]:
        self._profile_model.learn_new()
        for update in self._profile_model.take_updates():
            self._recount = True
            if update.refitted:
                yield Unlearned(update.labels)
            first = update.labels - len(update.learned) + 1
            for count, label in enumerate(update.learned, start=first):
                yield Learned(label.utterance, label.annotator, count)
            yield from self._drifted()

    def expire(self) -> Iterator[Event]:
        """Periodically delete audio that is too old or too much; yields notices.

        Between that, ask what waited for the budget, and see whether the profile is still there:
        raises ProfileError where it is not.
        """
        self._profile.database.fold_erased()
        now_s = self._now_s()
        if now_s - self._checked_s >= CHECK_EVERY_S:
            self._checked_s = now_s
            self._profile.database.check_place()
            yield from self._backlog.attempt(self._asking.ask_waiting)
        if now_s - self._expired_s >= EXPIRE_EVERY_S:
            yield from self._backlog.attempt(partial(self._expire, now_s))
            if not self._backlog.is_locked:
                self._expired_s = now_s

    def _expire(self, now_s: float) -> list[Event]:
        with self._profile.database.transaction():
            texts = [*self._retention.expire(self._wall_s(), now_s)]
        self._recount = self._recount or bool(texts)
        return [Noticed(text, "privacy") for text in texts]

    def finish(self) -> Iterator[Event]:
        """The last utterance, the last, partly filled buffer, and the last labels."""
        last = self._utterance_stream.finish()
        self._unstored.expect(last)
        yield from self._sound_notices()
        if self._encoding_queue.waiting:
            waiting = many(self._encoding_queue.waiting, "utterance")
            yield Noticed(f"{waiting} still to be encoded", TOO_SLOW)
        yield from self._settle(self._encoding_queue.rest())
        yield from self._encode(last)
        yield from self._settle(self._encoding_queue.rest())
        if self._backlog.is_locked:
            yield Noticed("the database is still locked: waiting for the other program", LOCKED)
        self._backlog.insist()
        yield from self._store_backlog()
        yield from self._follow_study()
        yield from self._asking.select()
        yield from self._asking.ask_waiting(is_last=True)
        while events := list(self.learn()):
            yield from events

    def ended(self, busy_s: float) -> Ended:
        """The sample counts. busy_s: seconds of work, for the real-time factor (work over audio).

        Utterances lost to an error before they were stored count as dropped.
        """
        self._unstored.drop_all()
        account = self._utterance_stream.accounting
        return Ended(
            captured_samples=account.captured,
            speech_samples=account.speech,
            silence_samples=account.silence,
            dropped_samples=dict(account.dropped),
            utterances=self._utterances,
            asked=self._asking.asked,
            released=self._asking.released,
            audio_s=account.audio_s,
            realtime_factor=busy_s / account.audio_s if account.audio_s else 0.0,
        )

    def status(self, busy_s: float = 0.0) -> Status:
        """busy_s: see `ended`."""
        account = self._utterance_stream.accounting
        if self._recount or self._asking.has_changed:  # counting thousands takes long
            with suppress(ProfileError):  # a display: what cannot be read stops the run elsewhere
                self._open_queries = self._profile.utterances.open_query_count()
                self._recount = self._asking.has_changed = False
        return Status(
            level_dbfs=self._utterance_stream.endpointer.level,
            speaking=self._utterance_stream.endpointer.speaking,
            buffer=(len(self._asking), self._asking.size),
            open_queries=self._open_queries,
            labels=self._profile_model.model.labels,
            utterances=self._utterances,
            audio_s=account.audio_s,
            dropped_samples=dict(account.dropped),
            realtime_factor=busy_s / account.audio_s if account.audio_s else 0.0,
            playing=self._playing,
        )

    def _encode(self, utterances: list[Utterance]) -> Iterator[Event]:
        self._unstored.expect(utterances)
        decided_s = self._now_s()
        for utterance in utterances:
            if not self._encoding_queue.put(utterance, decided_s):
                yield from self._unstored.drop(utterance, TOO_SLOW)
        yield from self._settle(self._encoding_queue.ready())
        yield from self._store_backlog()

    def _follow_study(self) -> Iterator[Event]:
        heard_s = self._utterance_stream.accounting.audio_s
        if self._study is not None and self._study.is_due(heard_s):
            yield from self._backlog.attempt(partial(self._study_events, self._study, heard_s))

    def _study_events(self, study: Study, heard_s: float) -> list[Event]:
        with self._profile.database.transaction():
            return list(study.events(heard_s, self._asking.select))

    def _sound_notices(self) -> Iterator[Noticed]:
        for notice in self._utterance_stream.take_notices():
            yield Noticed(notice.text, notice.kind)

    def _settle(self, encoded: Iterator[Encoded]) -> Iterator[Event]:
        for one in encoded:
            if self._backlog.add(one):
                yield from self._store_backlog()
            else:
                yield from self._unstored.drop(one.utterance, NOT_STORED)

    def _store_backlog(self, waits: bool = False) -> Iterator[Event]:
        """Store what is encoded, and select, until nothing waits or the database is locked."""
        while len(self._backlog) or self._asking.is_due:
            step = self._asking.select if self._asking.is_due else self._store_oldest
            yield from self._backlog.attempt(step, waits=waits)
            if self._backlog.is_locked:
                return
            yield from self._drifted()

    def _store_oldest(self) -> Iterator[Event]:
        yield self._predict(self._backlog.oldest)

    def _predict(self, encoded: Encoded) -> Heard:
        utterance, model = encoded.utterance, self._profile_model.model
        wall_s = self._wall_s()
        with model.unadapted_on_error(), self._profile.database.transaction():
            self._profile_model.adapt(encoded)
            said = assess(model, encoded, utterance.quality, self._scorer)
            number = self._profile.utterances.add(
                self.number,
                utterance,
                encoded.embedding,
                encoded.emotion,
                said.prediction,
                said.verdict,
                said.informativeness,
                wall_s,
            )
            self._retention.store_utterance(number, utterance.audio, wall_s)
        self._backlog.pop()
        self._unstored.stored(utterance)
        if self._describe is not None:
            self._describe(number, utterance.audio, utterance.quality)
        clear = self._ask_unclear or utterance.quality.is_clear
        self._asking.put(Buffered(number, encoded.embedding, utterance.audio, clear))
        self._utterances += 1
        return Heard(
            id=number,
            source=utterance.source,
            onset_s=utterance.onset_s,
            offset_s=utterance.offset_s,
            prediction=said.prediction,
            verdict=said.verdict,
            informativeness=said.informativeness,
            quality=utterance.quality,
            latency_ms=1000.0 * (self._now_s() - encoded.decided_s),
        )

    def _drifted(self) -> Iterator[Drifted | Noticed]:
        for drift in self._profile_model.new_drifts():
            yield Drifted(**asdict(drift), text=str(drift))
            yield Noticed(str(drift), "drift")
