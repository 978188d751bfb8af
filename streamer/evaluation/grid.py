"""A grid of runs on several processes or a cluster, resumable from a log, a line a finished run.

The log is JSON lines: a header that describes the experiment, then one line per finished cell. The
same command resumes it, also after Ctrl-C or a kill; an incomplete line is computed again. A log
with another header (another corpus, scenario or version) is refused.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.errors import UsageError
from streamer.evaluation.run import Outcome
from streamer.loop.workers.open import open_workers

Head = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """The key of one run; `task` is any further variable of the grid, or ""."""

    task: str
    learner: str
    strategy: str
    seed: int


Work = Callable[[Cell], Outcome]
Results = dict[Cell, Outcome]


def run_cells(
    cells: Sequence[Cell],
    work: Work,
    log: Path,
    head: Head,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Results:
    """Run all cells and return their outcomes; finished ones are read from the log.

    work: sent to each worker once, so with several it must be picklable. jobs, cluster: see
    `open_workers`. progress: called with the number of finished cells and the total. Raises
    UsageError for a log of another experiment, or for fewer than one job.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs: give at least 1")
    results = read_log(log, head)
    to_do = [cell for cell in dict.fromkeys(cells) if cell not in results]
    total = len(dict.fromkeys(cells))
    progress(total - len(to_do), total)
    if not to_do:
        return {cell: results[cell] for cell in cells}
    with (
        open_workers(_Sent(work), min(jobs, len(to_do)), cluster) as workers,
        _Appending(log, head) as write,
    ):
        for place, outcome in workers.map(to_do):
            cell = to_do[place]
            results[cell] = outcome
            values = _without_nan(outcome.values)
            write({"cell": asdict(cell), "labels": outcome.labels, "values": values})
            progress(sum(cell in results for cell in dict.fromkeys(cells)), total)
    return {cell: results[cell] for cell in cells}


def read_log(log: Path, head: Head) -> Results:
    """The finished cells of a log.

    Raises UsageError for a log of another experiment.
    """
    results: Results = {}
    if not log.exists():
        return results
    with log.open(encoding="utf-8") as file:
        line = file.readline()
        if not line.endswith("\n"):
            return results
        if _object(line) != json.loads(json.dumps(head)):
            raise UsageError(
                f"{log} belongs to another experiment: give another --out, or delete it"
            )
        for line in file:
            row = _object(line)
            if row is not None:
                results[Cell(**row["cell"])] = Outcome(row["labels"], _with_nan(row["values"]))
    return results


def _object(line: str) -> dict[str, Any] | None:
    """None for an incomplete line."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _without_nan(values: dict[str, list[float]]) -> dict[str, list[float | None]]:
    """JSON has no nan."""
    return {k: [None if math.isnan(x) else x for x in row] for k, row in values.items()}


def _with_nan(values: dict[str, list[float | None]]) -> dict[str, list[float]]:
    return {k: [math.nan if x is None else x for x in row] for k, row in values.items()}


class _Appending:
    """Appends lines to a log, each flushed to disk before the next cell starts."""

    def __init__(self, log: Path, head: Head) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._file = log.open("a+", encoding="utf-8")
        self._file.seek(0)
        text = self._file.read()
        if "\n" not in text:
            self._file.truncate(0)
            self(head)
        elif not text.endswith("\n"):
            self._file.write("\n")

    def __call__(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def __enter__(self) -> "_Appending":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A worker's setup: the work itself, as it was sent."""

    work: Work

    def __call__(self) -> Work:
        return self.work
