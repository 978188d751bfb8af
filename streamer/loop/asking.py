"""What is asked: utterances wait for a full buffer, its informative half becomes questions."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from streamer.events import Event, Noticed, Selected
from streamer.loop.budget import Budget
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.loop.study import Study
from streamer.loop.waiting import Postponed, WaitingQuestions
from streamer.query.selection import ask_count, buffer_size, choose
from streamer.query.strategy import Strategy
from streamer.store.profile import Profile
from streamer.types import Samples


@dataclass(frozen=True, slots=True)
class Buffered:
    """An utterance in the buffer. Until it is selected, its audio is only here."""

    id: int
    embedding: Samples
    audio: Samples
    clear: bool = True


class Asking:
    """The buffer of a session, and what waits for its budget of questions.

    size, first, keep, explore, seed, wall_s, budget, study: see `Session`.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        profile_model: ProfileModel,
        strategy: Strategy,
        size: int,
        first: int | None,
        keep: float,
        explore: float,
        seed: int,
        retention: Retention,
        wall_s: Callable[[], float],
        budget: Budget,
        study: Study | None,
    ) -> None:
        self._profile = profile
        self._profile_model = profile_model
        self._strategy = strategy
        self._full = size
        self._first = first
        self._keep = keep
        self._explore = explore
        self._seed = seed
        self._retention = retention
        self._wall_s = wall_s
        self._budget = budget
        self._study = study
        self._buffer: list[Buffered] = []
        self._waiting = WaitingQuestions(budget.most)
        self.size = self._next_size()
        self.asked = self.released = 0
        self.has_changed = False  # since the questions were counted last

    def __len__(self) -> int:
        """Utterances in the buffer."""
        return len(self._buffer)

    @property
    def is_due(self) -> bool:
        """Whether the buffer is full."""
        return len(self._buffer) >= self.size

    def put(self, utterance: Buffered) -> None:
        self._buffer.append(utterance)

    def select(self) -> list[Event]:
        """Empty the buffer into questions; nothing is stored where that fails."""
        if not self._buffer:
            return []
        with self._profile.database.transaction():
            events = list(self._selected())
            self.size = self._next_size()
        return events

    def _next_size(self) -> int:
        return buffer_size(self._full, self._first, self._profile.utterances.selection_count())

    def _selected(self) -> Iterator[Event]:
        waiting, self._buffer = self._buffer, []
        buffer = [b for b in waiting if b.clear]
        unclear = [b.id for b in waiting if not b.clear]
        if not buffer:
            yield from self._ask("all of them unclear", [], unclear)
            return
        model = self._profile_model.model
        features = model.features(np.stack([b.embedding for b in buffer]))
        # By how many are stored, not by ids, which go on after something is forgotten.
        before = self._profile.utterances.count() - len(waiting)
        rng = np.random.default_rng([self._seed, before + 1])
        # Fewer are asked where the budget is at its end: the strategy takes the best of them.
        wanted, allowed = ask_count(len(buffer), self._keep), self._allowed()
        keep = self._keep if wanted <= allowed else allowed / len(buffer)
        with self._profile_model.exclusive():  # a label that comes meanwhile waits
            choice = choose(self._strategy, features, model.knowledge, keep, self._explore, rng)
        values = choice.scores.values
        reason = choice.scores.reason_of({i: buffer[i].id for i in choice.asked})
        asked = [self._postponed(buffer[i], values[i]) for i in choice.asked]
        # What is wanted beyond the budget waits, where it can free up.
        rest = [self._postponed(buffer[i], values[i]) for i in choice.released]
        beyond = sorted(rest, key=lambda one: -one.score)[: max(wanted - len(asked), 0)]
        dropped = beyond
        if self._budget.frees_up(datetime.fromtimestamp(self._wall_s())):
            dropped = self._waiting.put(beyond)
        waiting_now = {one.id for one in beyond} - {one.id for one in dropped}
        gone = {one.id for one in dropped} | {one.id for one in rest} - waiting_now
        released = [*sorted(gone), *unclear]
        explored = [buffer[i].id for i in choice.explored]
        self._profile.note_not_asked(len(dropped), len(self._waiting))
        yield from self._ask(reason, asked, released, explored, choice.propensity)

    def ask_waiting(self, is_last: bool = False) -> Iterator[Event]:
        """Ask the most informative that wait, as the budget allows; at last let the others go."""
        if not len(self._waiting):
            return
        with self._profile.database.transaction():
            events = [*self._asked_of_waiting(is_last)]
        yield from events

    def _asked_of_waiting(self, is_last: bool) -> Iterator[Event]:
        dropped = self._waiting.take_older(self._wall_s())
        asked = self._waiting.take(self._allowed())
        if is_last:
            dropped += self._waiting.take(math.inf)
        if asked or dropped:
            self._profile.note_not_asked(len(dropped), len(self._waiting))
            reason = "they waited until the budget allowed them"
            yield from self._ask(reason, asked, sorted(one.id for one in dropped))

    def _ask(
        self,
        reason: str,
        asked: list[Postponed],
        released: list[int],
        explored: list[int] | None = None,
        propensity: float = 0.0,
    ) -> Iterator[Event]:
        """Make questions of the asked, and let the released go."""
        explored = explored or []
        number = self._profile.utterances.select(
            self._strategy.name,
            reason,
            [(q.id, q.score, self._retention.clip_for_query(q.id, q.audio)) for q in asked],
            released,
            self._wall_s(),
            explored,
            propensity,
        )
        self.has_changed = True
        self.asked += len(asked)
        if self._study is not None:
            self._study.asked(len(asked))
        self.released += len(released)
        yield Selected(
            number, self._strategy.name, reason, [q.id for q in asked], released, explored
        )
        for text in self._retention.make_room(self._wall_s()):
            self.has_changed = True
            yield Noticed(text, "privacy")

    def _allowed(self) -> float:
        """How many questions the budget allows now."""
        moment = datetime.fromtimestamp(self._wall_s())
        left = self._budget.left(moment, self.asked, self._profile.utterances.asked_since)
        return left if self._study is None else min(left, self._study.left())

    def _postponed(self, one: Buffered, score: float) -> Postponed:
        return Postponed(one.id, float(score), one.audio, self._wall_s())
