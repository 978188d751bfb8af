"""Work in this process and in several: every item once, also where a process is killed."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from streamer.errors import StreamerError, UsageError
from streamer.loop.workers.open import open_workers


@dataclass(frozen=True)
class Squares:
    """Work that can end its process: once, by a mark in a folder, or each time."""

    marks: Path | None = None
    always: bool = False

    def __call__(self):
        return self._work

    def _work(self, item: int) -> int:
        if self.marks is not None and item == 5:
            mark = self.marks / "killed"
            if self.always or not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if item < 0:
            raise UsageError(f"{item} is no number to be squared: give another")
        return item * item


def test_in_one_process_results_come_in_order():
    with open_workers(Squares()) as workers:
        assert list(workers.map(range(4))) == [(0, 0), (1, 1), (2, 4), (3, 9)]


def test_a_killed_process_loses_nothing(tmp_path):
    with open_workers(Squares(tmp_path), jobs=2) as workers:
        assert sorted(workers.map(range(40))) == [(k, k * k) for k in range(40)]
    assert (tmp_path / "killed").exists()


def test_an_item_that_kills_every_process_is_named(tmp_path):
    with (
        pytest.raises(StreamerError, match=r"ended 4 times .*\b5\b"),
        open_workers(Squares(tmp_path, always=True), jobs=2) as workers,
    ):
        list(workers.map(range(8)))


def test_what_the_work_raises_comes_out():
    with (
        pytest.raises(UsageError, match="-1 is no number"),
        open_workers(Squares(), jobs=2) as workers,
    ):
        list(workers.map([1, -1]))


def test_items_are_taken_as_workers_become_free():
    taken = []

    def items():
        for k in range(1000):
            taken.append(k)
            yield k

    with open_workers(Squares(), jobs=2) as workers:
        next(workers.map(items()))
    assert len(taken) < 50


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"jobs": 0}, UsageError, "give 1 or more"),
        ({"cluster": "here"}, UsageError, "give local, or an address"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, error, says):
    with pytest.raises(error, match=says), open_workers(Squares(), **settings):
        pass


PARENT = """
from streamer.loop.workers.open import open_workers

def square(item):
    return item * item

def setup():
    return square

if __name__ == "__main__":
    with open_workers(setup, 2) as workers:
        for place, result in workers.map(range(4)):
            pass
        print("working", flush=True)
        input()
"""


def test_workers_end_with_a_process_that_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "parent.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert parent.stdout.readline() == b"working\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) >= 2
    finally:
        parent.kill()
        parent.communicate()
    _, left = psutil.wait_procs(children, timeout=30)
    for process in left:
        process.kill()
    assert not left
