"""A Dask scheduler and its workers as processes of their own, on loopback."""

import os
import subprocess
import sys
import time
from pathlib import Path

_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
LONGEST_S = 60.0


class DaskProcesses:
    """One scheduler, and workers without a nanny: one that is killed stays away."""

    def __init__(self, folder: Path, workers: int) -> None:
        place = folder / "scheduler.json"
        self.processes = [
            self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                        "--scheduler-file", place)
        ]  # fmt: skip
        until_s = time.monotonic() + LONGEST_S
        while not place.exists():
            assert time.monotonic() < until_s, "the scheduler did not start"
            time.sleep(0.05)
        self.workers = [
            self._start("worker", "--scheduler-file", place, "--nthreads", "1", "--no-nanny",
                        "--no-dashboard", "--local-directory", folder / f"worker-{k}")
            for k in range(workers)
        ]  # fmt: skip
        self.processes += self.workers
        from distributed import Client

        with Client(scheduler_file=str(place)) as client:
            client.wait_for_workers(workers, timeout=LONGEST_S)
            self.address = client.scheduler.address

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(30)

    def _start(self, kind: str, *words: object) -> subprocess.Popen[bytes]:
        module = f"distributed.cli.dask_{kind}"
        # Results that lay on a killed worker are asked for once more before they are made anew.
        environment = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
        return subprocess.Popen(
            [sys.executable, "-m", module, *map(str, words)], env=environment, **_QUIET
        )
