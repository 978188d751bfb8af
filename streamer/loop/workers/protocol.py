"""What workers do: one function, applied to many items, each result as soon as it is there."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Workers(Protocol[Item, Result]):
    """Open workers. What a work function raises comes out of the iteration."""

    def map(self, items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        """The place of each item and its result, in the order in which they are ready.

        Items are taken as workers become free: of a long iterable, only some wait at a time.
        """
        ...
