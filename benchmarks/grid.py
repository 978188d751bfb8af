"""A benchmark's grid of runs: a progress bar, a log that goes on, and its flags."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir

from rich.console import Console
from rich.progress import Progress

from benchmarks.loop import RESULTS
from streamer.evaluation.grid import Cell, Head, Results, Work, run_cells


def flags(name: str, doc: str | None, seeds: int) -> argparse.ArgumentParser:
    """--seeds, --jobs, --log and --out of `python -m benchmarks.NAME`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path(gettempdir()) / f"streamer-{name}.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json")
    return parser


def run_grid(cells: Sequence[Cell], work: Work, log: Path, head: Head, jobs: int) -> Results:
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(log.stem, total=len(cells))
        return run_cells(
            cells, work, log, head, jobs=jobs,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
