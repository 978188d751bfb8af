"""Selection of the utterances of a buffer or a pool that are asked about."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from streamer.query.strategy import Knowledge, Scores, Strategy
from streamer.types import Matrix


@dataclass(frozen=True, slots=True)
class Choice:
    """asked: indices in the order of selection, then the random ones; released.

    All others, in order.

    explored: those of `asked` that were drawn at random; propensity: the probability, equal for all
    utterances of this buffer, of being drawn at random.
    """

    asked: Sequence[int]
    released: Sequence[int]
    explored: Sequence[int]
    propensity: float
    scores: Scores


def ask_count(size: int, keep: float) -> int:
    """How many of `size` utterances to ask at a part `keep` in [0, 1]; halves are rounded up.

    >>> ask_count(10, 0.5), ask_count(7, 0.5), ask_count(3, 0.0)
    (5, 4, 0)
    """
    return math.floor(size * keep + 0.5)


def buffer_size(full: int, first: int | None, buffers: int) -> int:
    """The size of a profile's next buffer: each twice as large as the one before, up to `full`.

    Parameters
    ----------
    full
        Utterances in a buffer, >= 1.
    first
        The size of the first one, >= 1; None: all have the full size.
    buffers
        How many buffers were split before.

    Examples
    --------
    >>> [buffer_size(10, 3, buffers) for buffers in range(4)], buffer_size(10, None, 0)
    ([3, 6, 10, 10], 10)
    """
    if first is None:
        return full
    # 1000 is the largest buffer, so ten doublings are enough.
    return min(full, first << min(buffers, 10))


def choose(
    strategy: Strategy,
    features: Matrix,
    knowledge: Knowledge,
    keep: float,
    explore: float,
    rng: np.random.Generator,
) -> Choice:
    """Stream: ask the fraction `keep` of a buffer [n, d], n >= 1, `explore` of it at random.

    The random draw comes first, from the whole buffer, so that it is a fair sample of all
    utterances; the strategy selects the other questions from the rest of the buffer. The number of
    random questions is rounded up or down at random, so that its mean is count * explore also for
    small buffers.
    """
    size = len(features)
    count = ask_count(size, keep)
    lot = draw_lot(size, count, explore, rng)
    rest = others(lot, size)
    if len(lot) == count:  # no question is left that the strategy could choose
        scores = strategy(features, knowledge, rng)
        return Choice(lot, rest, lot, explore * count / size, scores)
    batch = strategy.take(features[rest], knowledge, count - len(lot), rng)
    asked = [*(rest[index] for index in batch.indices), *lot]
    scores = batch.scores
    if lot:
        whole = strategy(features, knowledge, rng)
        values = whole.values.copy()
        values[rest] = scores.values
        scores = replace(whole, values=values)
    return Choice(asked, others(asked, size), lot, explore * count / size, scores)


def choose_from_pool(
    strategy: Strategy,
    features: Matrix,
    knowledge: Knowledge,
    count: int,
    rng: np.random.Generator,
    subset: int | None = None,
) -> list[int]:
    """Pool: `count` of [n, d] in one round (Han et al. 2013, table 1), fewer if there are fewer.

    subset: score only this many, drawn at random, which saves time and adds diversity.
    """
    seen = np.arange(len(features))
    if subset is not None and subset < len(seen):
        seen = np.sort(rng.choice(len(seen), size=max(subset, count), replace=False))
    if not len(seen):
        return []
    batch = strategy.take(features[seen], knowledge, min(count, len(seen)), rng)
    return [int(seen[index]) for index in batch.indices]


def draw_lot(size: int, count: int, explore: float, rng: np.random.Generator) -> list[int]:
    """Indices drawn at random from `size`, count * explore of them on average, in order."""
    if explore <= 0.0 or count == 0:
        return []
    number = min(count, math.floor(count * explore + rng.random()))
    return sorted(int(index) for index in rng.choice(size, size=number, replace=False))


def others(indices: Sequence[int], size: int) -> list[int]:
    """Those of range(size) that are not among `indices`, in order."""
    taken = set(indices)
    return [index for index in range(size) if index not in taken]
