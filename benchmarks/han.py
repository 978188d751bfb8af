"""Fewer labels by asking about the informative half: Han et al. (2013) on IEMOCAP.

    python -m benchmarks.han [--seeds 6] [--jobs 1] [--log FILE.jsonl] [--out FILE.json]

Sessions 1 to 4 are heard, session 5 is the test; 47 functionals, no prior. Stream: 40 labels to
begin with, then 3,000 utterances in buffers of 40, of which half is asked. Pool: 40, then 20 a
round, from all or from a random subset of 400. Arousal and valence each on their own, since Han et
al. did so; and the default, which asks about both at once, in the stream.

Passive learning is the same with the random strategy. Their table 3: binary confidence needs 11 to
12 % fewer labels than passive learning for its best in the pool, 6 to 11 % fewer in the stream.

Two learners (plain; squashed: outliers do not lead it) and two readings of each (as predicted;
spread: widened to vary as labels do). Log and command go on where they were interrupted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.grid import flags, run_grid
from benchmarks.iemocap import of_sessions, read_iemocap
from benchmarks.loop import machine
from streamer.evaluation.curves import Curve
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.run import Outcome, PoolAndTest, run_trial
from streamer.evaluation.significance import compare
from streamer.query.strategy import ASKED_DIMENSIONS
from streamer.types import DIMENSIONS

SCENARIOS: Final = {
    "stream": Stream(buffer=40, keep=0.5, first=40, length=3000),
    "pool": Pool(batch=20, rounds=50, first=40),
    "pool-of-400": Pool(batch=20, rounds=50, first=40, subset=400),
}
THEIRS: Final = {"stream": "6 to 11 % fewer", "pool": "11 to 12 % fewer"}
ALONE: Final = ("arousal", "valence")
TOGETHER: Final = "both"
PASSIVE, DEFAULT = "random", "binary-confidence"
READINGS: Final = ("ccc", "spread-ccc", "cc")
POINTS: Final = (40, 100, 200, 400, 800, 1040, 1540)


@dataclass(frozen=True)
class Work:
    """A cell's run, and what it needs; sent to each process once."""

    dataset: Dataset
    side: PoolAndTest

    def __call__(self, cell: Cell) -> Outcome:
        scenario, task = cell.task.split(" ")
        asked = ASKED_DIMENSIONS if task == TOGETHER else (task,)
        taught = DIMENSIONS if task == TOGETHER else asked
        return run_trial(
            self.dataset, self.side, SCENARIOS[scenario], cell.strategy, cell.learner, cell.seed,
            asked, taught,
        )  # fmt: skip


def grid(seeds: int) -> list[Cell]:
    tasks = [f"{scenario} {task}" for scenario in SCENARIOS for task in ALONE]
    tasks.append(f"stream {TOGETHER}")
    return [
        Cell(task, learner, strategy, seed)
        for seed in range(seeds)
        for learner in ("plain", "squashed")
        for task in tasks
        for strategy in (PASSIVE, DEFAULT)
    ]


def curve(results: Results, cells: Sequence[Cell], name: str) -> Curve:
    return Curve.of([(results[cell].labels, results[cell].values[name]) for cell in cells])


def compared(results: Results, task: str, learner: str, name: str, seeds: int) -> dict[str, Any]:
    """Binary confidence against passive learning, in one measure."""
    passive, asked = (
        curve(results, [Cell(task, learner, strategy, seed) for seed in range(seeds)], name)
        for strategy in (PASSIVE, DEFAULT)
    )
    best, at = passive.best()
    needed = asked.labels_to_reach(best)
    areas = compare({PASSIVE: passive.areas(), DEFAULT: asked.areas()}, PASSIVE)[DEFAULT]
    return {
        "passive_best": best,
        "passive_labels": at,
        "labels_to_reach_it": needed,
        "part": None if needed is None else needed / at,
        "passive_area": float(passive.areas().mean()),
        "area": float(asked.areas().mean()),
        "area_gain": areas.gain,
        "p": areas.p,
        "curves": {
            strategy: {str(n): _at(of, n) for n in POINTS if n <= of.labels[-1]}
            for strategy, of in ((PASSIVE, passive), (DEFAULT, asked))
        },
    }


def _at(of: Curve, labels: int) -> list[float]:
    """Mean and deviation of a curve after so many labels."""
    place = int((of.labels <= labels).sum()) - 1
    return [round(float(of.mean[place]), 4), round(float(of.deviation[place]), 4)]


def summary(results: Results, seeds: int) -> list[dict[str, Any]]:
    rows = []
    for task, learner in dict.fromkeys((cell.task, cell.learner) for cell in results):
        scenario, asked = task.split(" ")
        for dimension in DIMENSIONS if asked == TOGETHER else (asked,):
            for reading in READINGS:
                figures = compared(results, task, learner, f"{dimension}/{reading}", seeds)
                about = {"scenario": scenario, "asked": asked, "learner": learner}
                rows.append({**about, "dimension": dimension, "measure": reading, **figures})
    return rows


def goal(results: Results, seeds: int) -> dict[str, Any]:
    """The labels with which each learner and reading reaches the plain learner's passive best."""

    def of(learner: str, strategy: str, reading: str) -> Curve:
        cells = [Cell("stream arousal", learner, strategy, seed) for seed in range(seeds)]
        return curve(results, cells, f"arousal/{reading}")

    best, at = of("plain", PASSIVE, "ccc").best()
    reached = {
        f"{learner}, {reading}, {strategy}": of(learner, strategy, reading).labels_to_reach(best)
        for learner in ("plain", "squashed")
        for reading in ("ccc", "spread-ccc")
        for strategy in (PASSIVE, DEFAULT)
    }
    return {"plain_passive_best": best, "plain_passive_labels": at, "labels_to_reach_it": reached}


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"{'scenario':12} {'asked':8} {'learner':9} {'of':10} {'measure':11} {'passive best':>15} "
        f"{'reached':>8} {'part':>6} {'area':>7} {'gain':>8} {'p':>6}"
    ]
    for row in rows:
        needed = row["labels_to_reach_it"]
        reached = "never" if needed is None else f"{needed:.0f}"
        part = "" if needed is None else f"{row['part']:.0%}"
        lines.append(
            f"{row['scenario']:12} {row['asked']:8} {row['learner']:9} {row['dimension']:10} "
            f"{row['measure']:11} {row['passive_best']:6.3f} at {row['passive_labels']:5.0f} "
            f"{reached:>8} {part:>6} {row['area']:7.3f} {row['area_gain']:+8.4f} {row['p']:6.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    options = flags("han", __doc__, seeds=6).parse_args()
    corpus = read_iemocap()
    side = PoolAndTest(of_sessions(corpus, {1, 2, 3, 4}), of_sessions(corpus, {5}))
    work = Work(dataset_of(corpus, side.pool, "pool"), side)
    head = {"benchmark": "han", "version": 1}
    results = run_grid(grid(options.seeds), work, options.log, head, options.jobs)
    rows = summary(results, options.seeds)
    figures = {
        "machine": machine(),
        "seeds": options.seeds,
        "claims": THEIRS,
        "goal": goal(results, options.seeds),
        "rows": rows,
    }
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(rows))
    print(json.dumps(figures["goal"], indent=1))


if __name__ == "__main__":
    main()
