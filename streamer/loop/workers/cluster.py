"""Work on a Dask cluster: a scheduler on this machine, or one that runs already.

Dask moves an item to another worker when the one that had it is killed. What travels is what
`setup` holds, the items and the results; recordings are read by the workers, so they must see the
same files under the same names. Dask's own traffic is neither encrypted nor authenticated unless
the scheduler was started so: use it on a network that you trust.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from streamer.errors import StreamerError, UsageError

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
CONNECT_S: Final = 15.0
_WAITING_A_THREAD: Final = 3

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def open_cluster(
    setup: Callable[[], Callable[[Item], Result]], address: str, jobs: int
) -> "Iterator[ClusterWorkers[Item, Result]]":
    """Connect, and give every worker its setup, those that come later included.

    Raises StreamerError where Dask is missing or nobody answers, UsageError for no address.
    """
    if address != LOCAL and "://" not in address:
        raise UsageError(f"--cluster {address!r}: give local, or an address as tcp://host:8786")
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise StreamerError(
            f"{error.name} is not installed; --cluster needs it: python -m pip install "
            "'streamer[cluster]'"
        ) from error
    with ExitStack() as stack:
        if address == LOCAL:
            # By keys of its own: whoever may connect to a scheduler runs code in its workers, and
            # every user of this machine could.
            cluster = stack.enter_context(
                LocalCluster(
                    n_workers=jobs, threads_per_worker=1, dashboard_address=None, security=True
                )
            )
            client = stack.enter_context(Client(cluster))
        else:
            try:
                client = stack.enter_context(Client(address, timeout=CONNECT_S))
            except (OSError, ValueError) as error:
                raise StreamerError(
                    f"no Dask scheduler answers at {address} ({type(error).__name__}): start one "
                    "with `dask scheduler`, and workers with `dask worker`"
                ) from error
        workers = ClusterWorkers(client, setup)
        stack.callback(workers.close)
        yield workers


class ClusterWorkers(Generic[Item, Result]):
    """The workers of a connected Dask client."""

    def __init__(self, client: "Client", setup: Callable[[], Callable[[Item], Result]]) -> None:
        self._client = client
        self._token = uuid.uuid4().hex
        self._known = False
        self._setup = setup

    def map(self, items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        from distributed import as_completed

        if not self._known:
            self._client.register_plugin(_make_plugin(self._token, self._setup))
            self._known = True
        ahead = enumerate(items)
        places: dict[str, int] = {}

        def send(place: int, item: Item) -> Any:
            future = self._client.submit(
                work_of, self._token, item, key=f"streamer-{self._token}-{place}", pure=False
            )
            places[future.key] = place
            return future

        window = _WAITING_A_THREAD * max(1, self._threads())
        sent = [send(place, item) for place, item in islice(ahead, window)]
        ready = as_completed(sent)
        for future in ready:
            try:
                result = future.result()
            except Exception as error:
                if type(error).__name__ != "KilledWorker":
                    raise
                raise StreamerError(
                    f"workers of the cluster ended again and again with the same item ({error}): "
                    "give them more memory, or leave out what they were at"
                ) from error
            place = places.pop(future.key)
            future.release()
            for following in islice(ahead, 1):
                ready.add(send(*following))
            yield place, result

    def close(self) -> None:
        """Forget the setup on every worker."""
        if self._known:
            self._client.unregister_worker_plugin(self._token)

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())


class _Setups:
    """In a worker process: by token, how to set up; and by thread, the work itself.

    Of each thread its own, since a model takes in what it hears.
    """

    def __init__(self) -> None:
        self._setups: dict[str, Callable[[], Callable[[Any], Any]]] = {}
        self._own = threading.local()

    def add(self, token: str, setup: Callable[[], Callable[[Any], Any]]) -> None:
        self._setups[token] = setup

    def remove(self, token: str) -> None:
        self._setups.pop(token, None)

    def work(self, token: str) -> Callable[[Any], Any]:
        kept = getattr(self._own, "kept", None)
        if kept is None or kept[0] != token:
            kept = self._own.kept = token, self._setups[token]()
        work: Callable[[Any], Any] = kept[1]
        return work


_setups = _Setups()


def work_of(token: str, item: Any) -> Any:
    """One item of the work that was set up under a token; runs in a worker."""
    return _setups.work(token)(item)


def _make_plugin(token: str, setup: Callable[[], Callable[[Any], Any]]) -> Any:
    from streamer.loop.workers.cluster_plugin import SetupPlugin

    return SetupPlugin(token, setup)
