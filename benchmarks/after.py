"""A fifth of the labels: the choice of AFTER (Li et al. 2024) against chance and against them all.

    python -m benchmarks.after [--seeds 5] [--jobs 1] [--log FILE.jsonl] [--out FILE.json]

Emotions of nEMO (Polish, 6) and RAVDESS (English, 8) from the embeddings of the default encoder, by
the product's classifier. A fold of the speakers is the test, the others are the pool: of it 20 %
are asked, in 10 rounds. AFTER starts with k-means (section 3.4) and goes on by entropy; the
others start at random, or go on at random, so that both halves of it can be told apart.

The encoder was distilled on the sound of both corpora, test speakers included, though not on their
labels: the figures compare choices, they are not those of new corpora.

And the votes of CREMA-D: see `benchmarks.after_votes`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np

from benchmarks.after_votes import read_votes, which_clips, which_label
from benchmarks.grid import flags, run_grid
from benchmarks.iemocap import SHARED
from benchmarks.loop import machine
from streamer.config import Config
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.embedding import embed
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.learners import EvaluatedLearner
from streamer.evaluation.protocol import Pool
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.run import Outcome, PoolAndTest, measured
from streamer.evaluation.significance import compare
from streamer.evaluation.splits import speaker_folds
from streamer.loop.compose import make_encoder
from streamer.query.strategies import make_strategy

CORPORA: Final = ("ravdess", "nemo")
PART: Final = 0.2
ROUNDS: Final = 10
FOLDS: Final = 5
ALL: Final = "all of them"
STRATEGIES: Final = ("random", "entropy", "k-means+entropy", "k-means+random", "margin", ALL)
VOTES: Final = SHARED / "labels" / "cremad_votes.csv.gz"


@dataclass(frozen=True)
class Work:
    """A cell's run, and what it needs; sent to each process once."""

    datasets: dict[str, Dataset]
    sides: dict[str, Sequence[PoolAndTest]]

    def __call__(self, cell: Cell) -> Outcome:
        dataset, side = self.datasets[cell.task], self.sides[cell.task][cell.seed]
        order_rng, choice_rng = (np.random.default_rng((cell.seed, k)) for k in range(2))
        order = [int(i) for i in order_rng.permutation(side.pool)]
        model = EvaluatedLearner(dataset, targets=("emotion",))
        if cell.strategy == ALL:
            scenario = Pool(batch=1, rounds=0, first=len(order))
        else:
            batch = round(PART * len(order) / ROUNDS)
            scenario = Pool(batch=batch, rounds=ROUNDS, first=0)
        name = "random" if cell.strategy in (ALL, "k-means+random") else cell.strategy
        strategy = make_strategy(name)
        if cell.strategy == "k-means+random":
            first = make_strategy("k-means").take(
                dataset.features[order], model.knowledge, scenario.batch, choice_rng
            )
            order = [order[i] for i in first.indices] + [
                utterance for i, utterance in enumerate(order) if i not in set(first.indices)
            ]
            scenario = Pool(scenario.batch, ROUNDS - 1, first=scenario.batch)
        outcome = Outcome()
        for progress in scenario.run(model, strategy, order, choice_rng):
            if not progress.labels:
                continue
            outcome.labels.append(progress.labels)
            found = measured(model, dataset, side.test, order, ("emotion",))
            for measure, value in found.items():
                outcome.values.setdefault(measure, []).append(value)
        return outcome


def embedded(name: str, cache: Path) -> Corpus:
    corpus = read_corpus(name, SHARED / "speech")
    return embed(corpus, partial(make_encoder, Config(), ""), cache).corpus


def summary(results: Results, seeds: int) -> list[dict[str, Any]]:
    """A row a corpus and strategy: UAR after 20 %, the area up to it, and against random."""
    rows = []
    for corpus in CORPORA:
        uar: dict[str, Any] = {
            name: np.array(
                [
                    results[Cell(corpus, "plain", name, seed)].values["emotion/uar"][:ROUNDS]
                    for seed in range(seeds)
                ]
            )
            for name in STRATEGIES
        }
        asked = {name: values for name, values in uar.items() if name != ALL}
        ends = compare({name: values[:, -1] for name, values in asked.items()}, "random")
        areas = compare({name: values.mean(axis=1) for name, values in asked.items()}, "random")
        for name, values in uar.items():
            labels = np.mean(
                [results[Cell(corpus, "plain", name, seed)].labels[-1] for seed in range(seeds)]
            )
            row = {
                "corpus": corpus,
                "strategy": name,
                "labels": round(float(labels)),
                "uar": float(values[:, -1].mean()),
                "deviation": float(values[:, -1].std(ddof=1)) if seeds > 1 else 0.0,
                "first_round": float(values[:, 0].mean()),
                "area": float(values.mean()),
            }
            if name in ends:
                row |= {"gain": ends[name].gain, "p": ends[name].p}
                row |= {"area_gain": areas[name].gain, "area_p": areas[name].p}
            rows.append(row)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"{'corpus':8} {'strategy':16} {'labels':>6} {'UAR':>14} {'1st round':>9} {'area':>6}  "
        "against random: at the end, area"
    ]
    for row in rows:
        words = ""
        if "p" in row:
            words = (
                f"{row['gain']:+.3f} p {row['p']:.2f}, "
                f"{row['area_gain']:+.3f} p {row['area_p']:.2f}"
            )
        lines.append(
            f"{row['corpus']:8} {row['strategy']:16} {row['labels']:6d} "
            f"{row['uar']:6.3f} ±{row['deviation']:.3f} {row['first_round']:9.3f} "
            f"{row['area']:6.3f}  {words}"
        )
    return "\n".join(lines)


def votes_table(labels: Sequence[dict[str, Any]], clips: Sequence[dict[str, Any]]) -> str:
    lines = ["CREMA-D, nats a held-out vote (lower is better)"]
    lines += [f"  {r['votes']} votes, {r['label']:34} {r['cross_entropy']:.4f}" for r in labels]
    for row in clips:
        words = f"  {row['gain']:+.4f} p {row['p']:.3f}" if "p" in row else ""
        lines.append(
            f"  asked again: {row['asked_again']:14} {row['cross_entropy']:.4f}, majority right "
            f"{row['right_majority']:.3f}{words}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = flags("after", __doc__, seeds=FOLDS)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    options = parser.parse_args()
    missing = [path for path in (VOTES, SHARED / "speech" / "clips.csv") if not path.is_file()]
    if missing:
        raise SystemExit(f"skipped: {missing[0]} is not there (data that is not part of this)")
    datasets, sides = {}, {}
    for name in CORPORA:
        corpus = embedded(name, options.cache)
        datasets[name] = dataset_of(corpus, np.arange(len(corpus)))
        folds: list[PoolAndTest] = []
        while len(folds) < options.seeds:
            found = speaker_folds(corpus, FOLDS, np.random.default_rng(len(folds)))
            folds += [PoolAndTest(split.train, split.test) for split in found]
        sides[name] = folds
    cells = [
        Cell(corpus, "plain", strategy, seed)
        for seed in range(options.seeds)
        for corpus in CORPORA
        for strategy in STRATEGIES
    ]
    head = {"benchmark": "after", "version": 1}
    results = run_grid(cells, Work(datasets, sides), options.log, head, options.jobs)
    counts = read_votes(VOTES)
    rows = summary(results, options.seeds)
    labels, clips = which_label(counts, seeds=10), which_clips(counts, seeds=10)
    figures = {
        "machine": machine(),
        "runs": options.seeds,
        "classes": rows,
        "cremad_clips": len(counts),
        "soft_labels": labels,
        "asked_again": clips,
    }
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(rows))
    print(votes_table(labels, clips))


if __name__ == "__main__":
    main()
