"""One door to all workers: how many processes, or which cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from streamer.errors import UsageError
from streamer.loop.workers.protocol import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def open_workers(
    setup: Callable[[], Callable[[Item], Result]], jobs: int = 1, cluster: str | None = None
) -> Iterator[Workers[Item, Result]]:
    """Start workers, and end them with the block, also on an error or Ctrl-C.

    Parameters
    ----------
    setup
        Returns the function that does the work. Called once in each worker, so that an encoder is
        loaded once; it must be picklable, like a frozen dataclass of plain values.
    jobs
        Processes of this machine; 1: this process itself.
    cluster
        ``"local"``: a Dask scheduler with `jobs` worker processes on this machine; an address such
        as ``tcp://host:8786``: a Dask scheduler that runs already. None: no cluster.

    Raises
    ------
    UsageError
        For fewer jobs than 1.
    StreamerError
        Dask is not installed, or no scheduler answers.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs: give 1 or more processes")
    if cluster is not None:
        from streamer.loop.workers.cluster import open_cluster

        with open_cluster(setup, cluster, jobs) as remote:
            yield remote
    elif jobs == 1:
        from streamer.loop.workers.here import Here

        yield Here(setup)
    else:
        from streamer.loop.workers.processes import Processes

        workers = Processes(setup, jobs)
        try:
            yield workers
        finally:
            workers.close()
