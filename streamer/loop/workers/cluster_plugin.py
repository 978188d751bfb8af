"""Gives a Dask worker its setup when it joins; its base class is Dask's, so its file is its own."""

from collections.abc import Callable
from typing import Any

from distributed import WorkerPlugin

from streamer.loop.workers.cluster import _setups


class SetupPlugin(WorkerPlugin):  # type: ignore[misc, unused-ignore]
    """Keeps a setup in every worker, from now on or from its start, until it is unregistered."""

    def __init__(self, token: str, setup: Callable[[], Callable[[Any], Any]]) -> None:
        self.name = token
        self._setup = setup

    def setup(self, worker: Any) -> None:
        _setups.add(self.name, self._setup)

    def teardown(self, worker: Any) -> None:
        _setups.remove(self.name)
