"""Results in the order of their items, whichever worker was faster."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Result = TypeVar("Result")


def in_order(results: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """Results by their places, 0, 1, 2...; those that are ready before an earlier one wait.

    >>> list(in_order([(1, "b"), (0, "a"), (2, "c")]))
    ['a', 'b', 'c']
    """
    early: dict[int, Result] = {}
    following = 0
    for place, result in results:
        early[place] = result
        while following in early:
            yield early.pop(following)
            following += 1
