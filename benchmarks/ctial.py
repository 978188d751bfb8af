"""Does it help to ask where the emotion's name and its dimensions contradict each other?

    python -m benchmarks.ctial [--seeds 30] [--jobs 1] [--log FILE.jsonl] [--out FILE.json]

Cross-task inconsistency (Xu, Jiang and Wu 2024, "CTIAL") within IEMOCAP, both ways: emotions are
asked for where the dimensions of two other sessions are known, and dimensions are asked for where
the emotions of two other sessions are known. Each of the 10 pairs of sessions is the source once
with each of the 3 others as the test, the last two being the pool: 30 runs, whose speakers never
mix. 20 answers at random, then 200 more by the strategy, 10 a round (the paper asks one by one).

Four emotions (angry, happy with excited, sad, neutral), 47 functionals, scores by speaker; the
regression and the classifier are those of the product. Emotions: BCA (unweighted average recall);
dimensions: RMSE, CC and CCC, the mean of valence, arousal and dominance. Every strategy is compared
with random, and each of CTIAL's with what it is built on, by the area under the curve: Wilcoxon
signed-rank over the runs, corrected by Holm. Log and command go on where they were interrupted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any, Final

import numpy as np

from benchmarks.grid import flags, run_grid
from benchmarks.iemocap import of_sessions, read_iemocap
from benchmarks.loop import machine
from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.curves import Curve
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.learners import EvaluatedLearner
from streamer.evaluation.metrics import cc, ccc, rmse, uar
from streamer.evaluation.protocol import Pool
from streamer.evaluation.run import Outcome
from streamer.evaluation.significance import compare
from streamer.query.model_view import ModelView
from streamer.query.strategies import make_strategy
from streamer.types import DIMENSIONS

EMOTIONS, AFFECT = "emotions", "dimensions"
SCENARIO: Final = Pool(batch=10, rounds=20, first=20)
CLASSES: Final = ("angry", "happy", "sad", "neutral")
STRATEGIES: Final = {
    EMOTIONS: ("random", "entropy", "least-confidence", "margin", "cti", "cti-entropy", "lc-ctial"),
    AFFECT: (
        "random", "gsx", "igs", "mtigs", "source-least-confidence", "ctigs", "cti", "mtigs-ctial",
    ),
}  # fmt: skip
# CTIAL's own, and what each has to beat for the inconsistency to be worth anything.
BUILT_ON: Final = {
    EMOTIONS: {"cti-entropy": "entropy", "lc-ctial": "least-confidence"},
    AFFECT: {"mtigs-ctial": "mtigs"},
}
MEASURES: Final = {EMOTIONS: ("bca",), AFFECT: ("rmse", "cc", "ccc")}
SMALLER: Final = frozenset({"rmse"})
POINTS: Final = (20, 50, 100, 150, 220)


@dataclass(frozen=True)
class Split:
    source: Indices
    pool: Indices
    test: Indices


def splits(corpus: Corpus, usable: Indices) -> list[Split]:
    """30: the first 10 have each pair of sessions as the source once, the next 10 again, ..."""
    found: list[list[Split]] = [[], [], []]
    for pair in combinations(range(1, 6), 2):
        others = [number for number in range(1, 6) if number not in pair]
        for turn, test in enumerate(others):
            pool = set(others) - {test}
            parts = (
                np.intersect1d(of_sessions(corpus, sessions), usable)
                for sessions in (set(pair), pool, {test})
            )
            found[turn].append(Split(*parts))
    return [split for turn in found for split in turn]


class CrossTaskTargetLearner(EvaluatedLearner):
    """Learns one task from what is asked; of the other it knows a source that it never asks."""

    def __init__(self, dataset: Dataset, target: str, source: EvaluatedLearner) -> None:
        super().__init__(dataset, targets=("emotion",) if target == EMOTIONS else DIMENSIONS)
        if target == EMOTIONS:
            self.knowledge = ModelView(source.affect, self.labelled, lambda: self.classifier)
        else:
            self.knowledge = ModelView(
                self.affect, self.labelled, lambda: source.classifier, of_source=True
            )


@dataclass(frozen=True)
class Work:
    """A cell's run, and what it needs; sent to each process once."""

    dataset: Dataset
    splits: Sequence[Split]

    def __call__(self, cell: Cell) -> Outcome:
        split = self.splits[cell.seed % len(self.splits)]
        order_rng, choice_rng = (np.random.default_rng((cell.seed, k)) for k in range(2))
        order = [int(i) for i in order_rng.permutation(split.pool)]
        model = CrossTaskTargetLearner(self.dataset, cell.task, _source(self, cell.seed, cell.task))
        strategy = make_strategy(cell.strategy, DIMENSIONS)
        outcome = Outcome()
        for progress in SCENARIO.run(model, strategy, order, choice_rng):
            outcome.labels.append(progress.labels)
            for name, value in self._measured(model, split.test, cell.task).items():
                outcome.values.setdefault(name, []).append(value)
        return outcome

    def __hash__(self) -> int:
        return id(self)

    def _measured(self, model: EvaluatedLearner, test: Indices, task: str) -> dict[str, float]:
        if task == EMOTIONS:
            truth = np.array([CLASSES.index(str(self.dataset.emotions[i])) for i in test])
            return {"bca": uar(np.array([CLASSES.index(n) for n in model.emotions(test)]), truth)}
        means, truth = model.means(test), self.dataset.affect[test]
        return {
            name: float(np.mean([measure(means[:, k], truth[:, k]) for k in range(3)]))
            for name, measure in (("rmse", rmse), ("cc", cc), ("ccc", ccc))
        }


@lru_cache(maxsize=64)
def _source(work: Work, seed: int, target: str) -> EvaluatedLearner:
    taught = DIMENSIONS if target == EMOTIONS else ("emotion",)
    source = EvaluatedLearner(work.dataset, targets=taught)
    for utterance in work.splits[seed % len(work.splits)].source:
        source.learn(int(utterance))
    return source


def four_emotions(corpus: Corpus) -> tuple[Corpus, Indices]:
    """Happy and excited as one, as is usual on IEMOCAP; and where the four are."""
    clips = tuple(
        replace(clip, emotion="happy") if clip.emotion == "excited" else clip
        for clip in corpus.clips
    )
    merged = replace(corpus, clips=clips)
    return merged, np.flatnonzero(merged.classes(CLASSES) >= 0)


def summary(results: Results, task: str, seeds: int) -> list[dict[str, Any]]:
    """A row a strategy and measure: its area, and how it compares."""
    rows = []
    for measure in MEASURES[task]:
        curves = {
            name: Curve.of(
                [
                    (results[cell].labels, results[cell].values[measure])
                    for cell in (Cell(task, "plain", name, seed) for seed in range(seeds))
                ]
            )
            for name in STRATEGIES[task]
        }
        areas = {name: curve.areas() for name, curve in curves.items()}
        smaller = measure in SMALLER
        against_random = compare(areas, "random", smaller_is_better=smaller)
        for name, curve in curves.items():
            row: dict[str, Any] = {
                "task": task,
                "measure": measure,
                "strategy": name,
                "area": float(areas[name].mean()),
                "deviation": float(areas[name].std(ddof=1)),
                "at": {str(n): round(float(np.interp(n, curve.labels, curve.mean)), 4)
                       for n in POINTS},
            }  # fmt: skip
            if name in against_random:
                found = against_random[name]
                row |= {"gain": found.gain, "p": found.p, "mark": found.mark}
            base = BUILT_ON[task].get(name)
            if base:
                found = compare(
                    {base: areas[base], name: areas[name]}, base, smaller_is_better=smaller
                )[name]
                row["against"] = {"strategy": base, "gain": found.gain, "p": found.p,
                                  "mark": found.mark}  # fmt: skip
            rows.append(row)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [f"{'asked for':11} {'measure':8} {'strategy':24} {'area':>14}  "
             + " ".join(f"{n:>6}" for n in POINTS) + "  against random"]  # fmt: skip
    for row in rows:
        points = " ".join(f"{value:6.3f}" for value in row["at"].values())
        words = f"{row['gain']:+.4f} p {row['p']:.3f} {row['mark']}" if "p" in row else ""
        if "against" in row:
            other = row["against"]
            words += f"; {other['strategy']}: {other['gain']:+.4f} p {other['p']:.3f}"
            words += f" {other['mark']}"
        lines.append(
            f"{row['task']:11} {row['measure']:8} {row['strategy']:24} "
            f"{row['area']:6.4f} ±{row['deviation']:.4f}  {points}  {words}"
        )
    return "\n".join(lines)


def main() -> None:
    options = flags("ctial", __doc__, seeds=30).parse_args()
    corpus, usable = four_emotions(read_iemocap())
    work = Work(dataset_of(corpus, usable), splits(corpus, usable))
    cells = [
        Cell(task, "plain", strategy, seed)
        for seed in range(options.seeds)
        for task in (EMOTIONS, AFFECT)
        for strategy in STRATEGIES[task]
    ]
    head = {"benchmark": "ctial", "version": 1}
    results = run_grid(cells, work, options.log, head, options.jobs)
    rows = [row for task in (EMOTIONS, AFFECT) for row in summary(results, task, options.seeds)]
    figures = {"machine": machine(), "runs": options.seeds, "rows": rows}
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
