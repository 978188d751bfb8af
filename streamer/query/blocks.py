"""Selection from a pool that is too large for the memory: in blocks, by any strategy.

A strategy whose score of an utterance depends on nothing else (`pointwise`) is exact: each block is
scored, and the highest scores so far are kept. For all others, greedy and clustering ones, the
choice is approximate, in the way of GreeDi (Mirzasoleiman et al. 2013, "Distributed Submodular
Maximization", algorithm 2): the strategy takes `count` candidates of each block, and then its batch
from the candidates. Where these are more than a block themselves, they are first reduced in the
same way, so that memory grows with the logarithm of the pool. A pool of one block is exact.

Clustering strategies look at the pool as a whole first, and `fitted` finds their centres on a
random sample of it: a block has centres of its own, which are not the pool's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from streamer.query.strategy import Batch, Knowledge, Scores, Strategy, highest
from streamer.types import Matrix, Vector

Numbers = NDArray[np.int64]
# A posterior covariance of a block is [n, n]: 8 MB, and the time for it grows with n.
JOINT_ROWS: Final = 1024
# On which the centres of a clustering strategy are found.
SAMPLE_ROWS: Final = 4096
# A block is reduced to at most a quarter.
_REDUCTION: Final = 4


@dataclass(frozen=True, slots=True)
class Candidates:
    """Some of a pool: their numbers, int64 [n], rising; and features, float64 [n, d]."""

    numbers: Numbers
    features: Matrix

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, indices: Sequence[int] | NDArray[np.intp]) -> Self:
        return type(self)(self.numbers[indices], self.features[indices])

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        return cls(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.features for part in parts]),
        )


class CandidatePool(Protocol):
    """What may be asked. Blocks may be of any size, and give each utterance once, numbers rising;
    the same at each call."""

    def __len__(self) -> int: ...

    def blocks(self) -> Iterator[Candidates]: ...

    def sample(self, count: int, rng: np.random.Generator) -> Matrix:
        """Features of `count` utterances drawn at random, or of all, in order."""


@runtime_checkable
class Fitted(Protocol):
    """A strategy that looks at the whole pool once."""

    def fitted(
        self, sample: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Strategy:
        """The strategy with what it takes from the whole, found on a random sample [m, d].

        count: how many will be asked in all, <= m.
        """


class SequentialDraw:
    """`wanted` of `total` at random without replacement, as they come in pieces.

    How many fall on a piece is hypergeometric (Vitter 1984, "Faster methods for random sampling").

    >>> draw = SequentialDraw(10, 4, np.random.default_rng(0))
    >>> sum(len(draw.of(piece)) for piece in (3, 3, 4))
    4
    """

    def __init__(self, total: int, wanted: int, rng: np.random.Generator) -> None:
        self._left = total
        self._wanted = min(wanted, total)
        self._rng = rng

    def of(self, piece: int) -> NDArray[np.intp]:
        """Which of the next `piece`, in order."""
        number = int(self._rng.hypergeometric(piece, self._left - piece, self._wanted))
        self._left, self._wanted = self._left - piece, self._wanted - number
        return np.sort(self._rng.choice(piece, number, replace=False))


@dataclass(frozen=True, slots=True)
class PoolChoice:
    """numbers: what to ask, in the order of selection; values: their scores; reason: of the last
    step, for people; is_exact: the same as of the whole pool at once."""

    numbers: Sequence[int]
    values: Vector
    reason: str
    is_exact: bool
    scored: int


def is_pointwise(strategy: Strategy) -> bool:
    """Whether its score of an utterance depends on that utterance and the model alone."""
    return bool(getattr(strategy, "pointwise", False))


def choose_from_blocks(
    strategy: Strategy,
    pool: CandidatePool,
    knowledge: Knowledge,
    count: int,
    rng: np.random.Generator,
    joint_rows: int = JOINT_ROWS,
) -> PoolChoice:
    """`count` of all candidates, fewer if there are fewer.

    Parameters
    ----------
    joint_rows
        The most utterances that a strategy that is not pointwise sees at once; at least four times
        `count` are taken.
    """
    if is_pointwise(strategy):
        return _highest(strategy, pool, knowledge, count, rng)
    size = max(joint_rows, _REDUCTION * count)
    if len(pool) > size and isinstance(strategy, Fitted):
        sample = pool.sample(max(SAMPLE_ROWS, size), rng)
        strategy = strategy.fitted(sample, knowledge, count, rng)
    tree = _Tree(strategy, knowledge, count, rng, size)
    for block in pool.blocks():
        tree.add(block)
    return tree.choice()


def _highest(
    strategy: Strategy,
    pool: CandidatePool,
    knowledge: Knowledge,
    count: int,
    rng: np.random.Generator,
) -> PoolChoice:
    numbers = np.zeros(0, np.int64)
    values = np.zeros(0)
    whom: list[str] = []
    scores, scored = Scores(values, "nothing is left to ask"), 0
    for block in pool.blocks():
        if not len(block):
            continue
        scores = strategy(block.features, knowledge, rng)
        scored += len(block)
        numbers = np.concatenate([numbers, block.numbers])
        values = np.concatenate([values, scores.values])
        best = highest(values, count)  # of equal ones the earlier, as of the whole pool
        if scores.annotators is not None:
            every = [*whom, *scores.annotators]
            whom = [every[k] for k in best]
        numbers, values = numbers[best], values[best]
    asked = [int(number) for number in numbers]
    reason = Scores(values, scores.reason, annotators=whom or None).reason_of(
        dict(enumerate(asked))
    )
    return PoolChoice(asked, values, reason, True, scored)


class _Tree:
    """Blocks of `size`, each reduced to `count` candidates of the level above."""

    def __init__(
        self,
        strategy: Strategy,
        knowledge: Knowledge,
        count: int,
        rng: np.random.Generator,
        size: int,
    ) -> None:
        self._strategy = strategy
        self._knowledge = knowledge
        self._count = count
        self._rng = rng
        self._size = size
        self._levels: list[list[Candidates]] = [[]]
        self._scored = 0

    def add(self, block: Candidates) -> None:
        self._scored += len(block)
        self._put(0, block)

    def choice(self) -> PoolChoice:
        is_exact = len(self._levels) == 1
        left = [part for level in self._levels for part in level]
        self._levels = [[]]
        if not left:
            return PoolChoice([], np.zeros(0), "nothing is left to ask", True, 0)
        rest = _sorted(Candidates.together(left))
        while len(rest) > self._size:
            rest = _sorted(Candidates.together([self._reduced(part) for part in self._cut(rest)]))
        batch = self._take(rest)
        asked = [int(rest.numbers[index]) for index in batch.indices]
        values = batch.scores.values[list(batch.indices)]
        reason = batch.scores.reason_of({i: int(rest.numbers[i]) for i in batch.indices})
        return PoolChoice(asked, values, reason, is_exact, self._scored)

    def _put(self, level: int, part: Candidates) -> None:
        """Keep candidates on a level; where a block is full and more follows, reduce it."""
        if level == len(self._levels):
            self._levels.append([])
        waiting = self._levels[level]
        while len(part):
            room = self._size - sum(map(len, waiting))
            if room == 0:
                full = _sorted(Candidates.together(waiting))
                waiting.clear()
                self._put(level + 1, self._reduced(full))
                continue
            waiting.append(part.of(np.arange(min(room, len(part)))))
            part = part.of(np.arange(min(room, len(part)), len(part)))

    def _reduced(self, part: Candidates) -> Candidates:
        return part if len(part) <= self._count else part.of(sorted(self._take(part).indices))

    def _take(self, part: Candidates) -> Batch:
        return self._strategy.take(
            part.features, self._knowledge, min(self._count, len(part)), self._rng
        )

    def _cut(self, rest: Candidates) -> list[Candidates]:
        bounds = range(0, len(rest), self._size)
        return [rest.of(np.arange(at, min(at + self._size, len(rest)))) for at in bounds]


def _sorted(part: Candidates) -> Candidates:
    return part.of(np.argsort(part.numbers, kind="stable"))
