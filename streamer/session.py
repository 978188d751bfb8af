"""The whole flow, top to bottom: hear, predict, select, learn.

    chunk -> utterances -> embedding -> prediction and verdict -> stored -> event
          -> buffer of N -> the informative half becomes queries, the rest is let go
    label -> stored first, then learned

No thread, socket, clock or SQL in here: they come in through the constructor.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from streamer.core.informativeness import BinaryConfidence, Strategy
from streamer.core.selection import choose
from streamer.events import Ended, Event, Heard, Learned, Noticed, Selected, Status, Unlearned
from streamer.hearing import Hearing
from streamer.learning import Learning
from streamer.messages import Chunk, Gap, Notice, Samples, Utterance
from streamer.store.profile import Profile

EXPIRE_EVERY_S: Final = 3600.0


class Encoder(Protocol):
    """audio: float32 [samples] at 16 kHz; returns embedding float32 [d], emotion float32 [e]."""

    def encode(self, audio: Samples) -> tuple[Samples, Samples]: ...


@dataclass(frozen=True, slots=True)
class Buffered:
    """An utterance that waits for its buffer to fill. Its audio is here and nowhere else."""

    id: int
    embedding: Samples
    audio: Samples


class Session:
    """One run of the loop over one source.

    doubt: what an utterance's own informativeness is measured by, whatever the strategy;
    size: utterances in a buffer; keep: part of it that is asked, in [0, 1]; seed: of every random
    choice; query_life_s: an unanswered query expires after that; to_clip: audio to the bytes that
    a query keeps; wall_s: seconds since 1970, for the rows; now_s: a steady clock, for latencies.
    """

    def __init__(
        self,
        *,
        number: int,
        hearing: Hearing,
        encoder: Encoder,
        profile: Profile,
        learning: Learning,
        strategy: Strategy,
        doubt: BinaryConfidence,
        size: int,
        keep: float,
        seed: int,
        query_life_s: float,
        to_clip: Callable[[Samples], bytes],
        wall_s: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        self._number = number
        self._hearing = hearing
        self._encoder = encoder
        self._profile = profile
        self._learning = learning
        self._strategy = strategy
        self._size = size
        self._keep = keep
        self._seed = seed
        self._query_life_s = query_life_s
        self._expired_at = -math.inf
        self._to_clip = to_clip
        self._wall_s = wall_s
        self._now_s = now_s
        self._doubt = doubt
        self._buffer: list[Buffered] = []
        self._utterances = self._asked = self._released = 0
        self._open_queries: int | None = None

    def hear(self, item: Chunk | Gap | Notice) -> Iterator[Event]:
        """Everything that one item from the source brings about."""
        if isinstance(item, Notice):
            yield Noticed(item.text)
            return
        yield from self._take_all(self._hearing.hear(item))

    def learn(self) -> Iterator[Event]:
        """Learn the labels that were stored since the last time, by whichever process."""
        labels, replaced = self._learning.learn_new()
        if labels or replaced:
            self._open_queries = None
        if replaced:
            yield Unlearned(self._learning.labels)
        first = self._learning.labels - len(labels) + 1
        for count, label in enumerate(labels, start=first):
            yield Learned(label.utterance, label.annotator, count)

    def expire(self) -> None:
        """Once an hour, close the queries that are too old and delete their audio."""
        now = self._wall_s()
        if now - self._expired_at >= EXPIRE_EVERY_S:
            self._expired_at = now
            self._profile.utterances.expire_queries(now - self._query_life_s, now)
            self._open_queries = None

    def finish(self) -> Iterator[Event]:
        """The last utterance, the last, partly filled buffer, and the last labels."""
        yield from self._take_all(self._hearing.finish())
        if self._buffer:
            yield self._select()
        while events := list(self.learn()):
            yield from events

    def ended(self, busy_s: float) -> Ended:
        """The accounting. busy_s: seconds of work, for the real-time factor (work over audio)."""
        account = self._hearing.accounting
        return Ended(
            captured_samples=account.captured,
            speech_samples=account.speech,
            silence_samples=account.silence,
            dropped_samples=dict(account.dropped),
            utterances=self._utterances,
            asked=self._asked,
            released=self._released,
            audio_s=account.audio_s,
            realtime_factor=busy_s / account.audio_s if account.audio_s else 0.0,
        )

    def status(self) -> Status:
        account = self._hearing.accounting
        if self._open_queries is None:  # counting takes long where there are thousands
            self._open_queries = self._profile.utterances.open_query_count()
        return Status(
            level_dbfs=self._hearing.ear.level,
            speaking=self._hearing.ear.speaking,
            buffer=(len(self._buffer), self._size),
            open_queries=self._open_queries,
            labels=self._learning.labels,
            utterances=self._utterances,
            audio_s=account.audio_s,
            dropped_samples=dict(account.dropped),
        )

    def _take_all(self, utterances: list[Utterance]) -> Iterator[Event]:
        decided_s = self._now_s()
        for utterance in utterances:
            yield self._take(utterance, decided_s)
            if len(self._buffer) >= self._size:
                yield self._select()

    def _take(self, utterance: Utterance, decided_s: float) -> Heard:
        embedding, emotion = self._encoder.encode(utterance.audio)
        with self._learning.unadapted_on_error(), self._profile.database.transaction():
            self._learning.adapt(embedding, emotion)
            prediction = self._learning.predict(embedding)
            verdict = self._learning.verdict(emotion)
            informativeness = self._informativeness(embedding)
            number = self._profile.utterances.add(
                self._number,
                utterance,
                embedding,
                emotion,
                prediction,
                verdict,
                informativeness,
                self._wall_s(),
            )
        self._buffer.append(Buffered(number, embedding, utterance.audio))
        self._utterances += 1
        return Heard(
            id=number,
            source=utterance.source,
            onset_s=utterance.onset_s,
            offset_s=utterance.offset_s,
            prediction=prediction,
            verdict=verdict,
            informativeness=informativeness,
            quality=utterance.quality,
            latency_ms=1000.0 * (self._now_s() - decided_s),
        )

    def _informativeness(self, embedding: Samples) -> float | None:
        features = self._learning.features(embedding)[np.newaxis]
        value = self._doubt.informativeness(features, self._learning.learner)
        return None if value is None else float(value[0])

    def _select(self) -> Selected:
        buffer, self._buffer = self._buffer, []
        features = self._learning.features(np.stack([b.embedding for b in buffer]))
        rng = np.random.default_rng([self._seed, buffer[0].id])
        scores = self._strategy(features, self._learning.learner, rng)
        ask, release = choose(scores.values, self._keep)
        asked = [(buffer[i], float(scores.values[i])) for i in ask]
        released = [buffer[i].id for i in release]
        number = self._profile.utterances.select(
            self._strategy.name,
            scores.reason,
            [(b.id, score, self._to_clip(b.audio)) for b, score in asked],
            released,
            self._wall_s(),
        )
        self._open_queries = None
        self._asked += len(asked)
        self._released += len(released)
        return Selected(
            number, self._strategy.name, scores.reason, [b.id for b, _ in asked], released
        )
