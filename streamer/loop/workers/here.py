"""Work in this process."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Here(Generic[Item, Result]):
    """One item after the other, in their order."""

    def __init__(self, setup: Callable[[], Callable[[Item], Result]]) -> None:
        self._setup = setup

    def map(self, items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        work = self._setup()
        for place, item in enumerate(items):
            yield place, work(item)
