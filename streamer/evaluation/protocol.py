"""Protocols of active learning on a corpus: a stream of utterances, or a pool.

Stream (Han et al. 2013, table 2): utterances arrive one by one; labels are asked for a fraction of
each full buffer, the rest is discarded. Pool (table 1): all utterances are available from the
start, and a fixed number is labelled in each round. Passive learning is either protocol with the
random strategy, or a stream in which everything is labelled. Answers can be delayed, as a person's
are.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streamer.errors import UsageError
from streamer.query.selection import ask_count, choose_from_pool
from streamer.query.strategy import Knowledge, Strategy
from streamer.types import Matrix


class ProtocolLearner(Protocol):
    """The learner of a protocol; utterances are their positions in the corpus."""

    features: Matrix

    @property
    def knowledge(self) -> Knowledge: ...

    def learn(self, utterance: int) -> None:
        """Learn the corpus's labels of these utterances."""

    def record_predictions(self, utterances: Sequence[int]) -> None:
        """Record the current predictions, for the prequential curve."""


@dataclass(frozen=True, slots=True)
class Progress:
    """labels: learned so far; arrived: utterances so far (in a pool: all of it)."""

    labels: int
    arrived: int


@dataclass(frozen=True, slots=True)
class Stream:
    """first: so many are asked about one and all, to begin with; then buffers of `buffer`, of

    which the part `keep` is asked. length: utterances heard after the first, None for all.
    delay: an answer is learned when so many more utterances have been heard.
    """

    buffer: int = 40
    keep: float = 0.5
    first: int = 40
    length: int | None = 3000
    delay: int = 0

    def __post_init__(self) -> None:
        _check("buffer", self.buffer, 1)
        _check("first", self.first, 0)
        _check("delay", self.delay, 0)
        if not 0.0 < self.keep <= 1.0:
            raise UsageError(f"keep = {self.keep}: give a part above 0 and up to 1")

    def run(
        self,
        model: ProtocolLearner,
        strategy: Strategy,
        order: Sequence[int],
        rng: np.random.Generator,
    ) -> Iterator[Progress]:
        """Run the protocol; yields after the first labels, after each buffer, and at the end.

        order: the utterances as they are heard. A last buffer that is not full is not asked.
        """
        for utterance in order[: self.first]:
            model.learn(utterance)
        learned = min(self.first, len(order))
        reported = learned
        yield Progress(learned, learned)
        late: deque[tuple[int, int]] = deque()  # when to learn, what
        buffer: list[int] = []
        arrived = learned
        unrecorded: list[int] = []  # heard since the model last learned something
        end = None if self.length is None else self.first + self.length
        for utterance in order[self.first : end]:
            if late and late[0][0] <= arrived:
                model.record_predictions(unrecorded)
                unrecorded = []
            while late and late[0][0] <= arrived:
                model.learn(late.popleft()[1])
                learned += 1
            unrecorded.append(utterance)
            arrived += 1
            buffer.append(utterance)
            if len(buffer) < self.buffer:
                continue
            model.record_predictions(unrecorded)
            unrecorded = []
            for asked in self._asked(model, strategy, buffer, rng):
                if self.delay:
                    late.append((arrived + self.delay, asked))
                else:
                    model.learn(asked)
                    learned += 1
            buffer = []
            reported = learned
            yield Progress(learned, arrived)
        model.record_predictions(unrecorded)
        for _, asked in late:
            model.learn(asked)
        learned += len(late)
        if learned > reported:
            yield Progress(learned, arrived)

    def _asked(
        self,
        model: ProtocolLearner,
        strategy: Strategy,
        buffer: Sequence[int],
        rng: np.random.Generator,
    ) -> list[int]:
        features = model.features[list(buffer)]
        count = ask_count(len(buffer), self.keep)
        batch = strategy.take(features, model.knowledge, count, rng)
        return [buffer[index] for index in batch.indices]


@dataclass(frozen=True, slots=True)
class Pool:
    """batch: asked a round; rounds: how many; first: asked at random to begin with.

    subset: each round looks only at so many of the pool, drawn at random; None for all.
    """

    batch: int = 40
    rounds: int = 20
    first: int = 40
    subset: int | None = None

    def __post_init__(self) -> None:
        _check("batch", self.batch, 1)
        _check("rounds", self.rounds, 0)
        _check("first", self.first, 0)
        if self.subset is not None:
            _check("subset", self.subset, 1)

    def run(
        self,
        model: ProtocolLearner,
        strategy: Strategy,
        order: Sequence[int],
        rng: np.random.Generator,
    ) -> Iterator[Progress]:
        """Run the protocol; yields after the first labels and after each round.

        order: the pool; its beginning is labelled first, so it should be shuffled.
        """
        left = list(order)
        for utterance in left[: self.first]:
            model.learn(utterance)
        learned = min(self.first, len(left))
        left = left[self.first :]
        yield Progress(learned, len(order))
        for _ in range(self.rounds):
            features = model.features[left]
            chosen = choose_from_pool(
                strategy, features, model.knowledge, self.batch, rng, self.subset
            )
            if not chosen:
                return
            for index in chosen:
                model.learn(left[index])
            learned += len(chosen)
            taken = set(chosen)
            left = [utterance for index, utterance in enumerate(left) if index not in taken]
            yield Progress(learned, len(order))


def _check(name: str, value: int, least: int) -> None:
    if value < least:
        raise UsageError(f"{name} = {value}: give at least {least}")
