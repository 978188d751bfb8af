"""Work in several processes of this machine."""

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from streamer.errors import StreamerError

# Enough that no process waits for its next item.
_WAITING_A_JOB: Final = 3
# A process that is killed is replaced. An item that was there each time is perhaps the cause.
MOST_LOST: Final = 3
_NAMED: Final = 6

Item = TypeVar("Item")
Result = TypeVar("Result")


class Processes(Generic[Item, Result]):
    """Spawned processes. Where one is killed, all are started anew, and no result is lost.

    They end with the process that started them, also where that one is killed.

    Spawned, not forked: onnxruntime's threads do not survive a fork.
    """

    def __init__(self, setup: Callable[[], Callable[[Item], Result]], jobs: int) -> None:
        self._setup = setup
        self._jobs = jobs
        self._pool = self._start()

    def map(self, items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        ahead = enumerate(items)
        waiting: dict[Future[Result], tuple[int, Item]] = {}
        lost: Counter[int] = Counter()
        while True:
            try:
                for place, item in islice(ahead, _WAITING_A_JOB * self._jobs - len(waiting)):
                    # Kept before it is handed over: a pool that breaks here must not lose it.
                    waiting[_Unsent()] = place, item
                self._send(waiting)
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    place, _ = waiting.pop(future)
                    yield place, result
            except BrokenProcessPool as error:
                lost.update(place for place, _ in waiting.values())
                suspects = [item for place, item in waiting.values() if lost[place] > MOST_LOST]
                if suspects:
                    raise StreamerError(
                        f"worker processes ended {MOST_LOST + 1} times without a result, perhaps "
                        f"for lack of memory, while they were at one of {_some(suspects)}: use "
                        "fewer --jobs, or leave it out"
                    ) from error
                self.close()
                self._pool = self._start()
                waiting = {_Unsent(): one for one in waiting.values()}

    def close(self) -> None:
        """End the processes after their current item; what waits is not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._jobs, context, _begin, (self._setup,))

    def _send(self, waiting: dict[Future[Result], tuple[int, Item]]) -> None:
        for unsent in [future for future in waiting if isinstance(future, _Unsent)]:
            place, item = waiting[unsent]
            future = self._pool.submit(_work, item)
            del waiting[unsent]
            waiting[future] = place, item


class _Unsent(Future[Any]):
    """The place of an item that no process has yet."""


_the_work: Callable[[Any], Any] | None = None


def _begin(setup: Callable[[], Callable[[Any], Any]]) -> None:
    global _the_work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _the_work = setup()


def _end_with_parent() -> None:
    """Without it, workers of a process that was killed wait for their next item for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(item: Any) -> Any:
    if _the_work is None:
        raise RuntimeError("a worker received work before its setup")
    return _the_work(item)


def _some(items: list[Any]) -> str:
    return ", ".join(map(str, items[:_NAMED])) + (", ..." if len(items) > _NAMED else "")
