"""All query strategies over all tasks, in one table: which one to trust.

    python -m benchmarks.strategies [--seeds 5] [--jobs 1] [--log FILE.jsonl] [--out FILE.json]

Tasks: IEMOCAP (47 functionals) as a stream, half of each buffer of 40 asked, and as a pool, 40 a
round of 400 that are looked at; nEMO and RAVDESS (embeddings of the default encoder, dimensions by
the norms of the acted emotions) as pools, from no label at all. Each run ends at about 400 labels;
speakers never mix. Strategies ask about valence and arousal at once, as the product does.

Judged by the area under the curve of each of the measures in `JUDGED`, over random's: ranks within
a run, their mean over all, and Friedman's test of whether the ranks differ at all; Wilcoxon
signed-rank of the areas over random's, Holm over strategies. CCC rewards a strategy that merely
makes predictions vary more, so all is judged again by the CCC of predictions that are spread as
labels are (`learners.variance_matching`). Where a strategy is worse than random by more than noise
(one-sided t over seeds, 5 %, Holm over the measures of all tasks) is named. `affect` is the mean
over the dimensions alone, without the emotions, which a strategy for dimensions does not look at.
Left out are strategies that need what is not here: votes by person, a source corpus.

Log and command go on where they were interrupted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, ttest_1samp

from benchmarks.after import embedded
from benchmarks.ctial import four_emotions
from benchmarks.grid import flags, run_grid
from benchmarks.iemocap import SHARED, read_iemocap
from benchmarks.loop import machine
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.curves import Curve
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.run import Outcome, PoolAndTest, run_trial
from streamer.evaluation.scales import Rating
from streamer.evaluation.significance import compare, holm, signed_rank_p
from streamer.evaluation.splits import leave_one_session_out, speaker_folds
from streamer.learners.affective_norms import affective_norm
from streamer.query.strategies import STRATEGIES
from streamer.query.strategies.annotator_uncertainty import MEASURES as OF_ANNOTATORS
from streamer.query.strategy import ASKED_DIMENSIONS
from streamer.types import Vector

FOLDS: Final = 5
PASSIVE, DEFAULT = "random", "binary-confidence"
NOISE: Final = 0.05
SCENARIOS: Final = {
    "iemocap stream": Stream(buffer=40, keep=0.5, first=20, length=800),
    "iemocap pool": Pool(batch=40, rounds=10, first=20, subset=400),
    "ravdess pool": Pool(batch=40, rounds=10, first=0, subset=400),
    "nemo pool": Pool(batch=40, rounds=10, first=0, subset=400),
}
JUDGED: Final = {
    "iemocap": ("arousal/ccc", "valence/ccc", "dominance/ccc", "emotion/uar"),
    "ravdess": ("emotion/uar", "arousal/ccc", "valence/ccc"),
    "nemo": ("emotion/uar", "arousal/ccc", "valence/ccc"),
}
READINGS: Final = ("ccc", "spread-ccc")
COLD_STARTS: Final = ("k-means+binary-confidence", "k-means+entropy")
NOT_HERE: Final = {*OF_ANNOTATORS, "source-least-confidence"}


def names() -> list[str]:
    return [*(name for name in STRATEGIES if name not in NOT_HERE), *COLD_STARTS]


@dataclass(frozen=True)
class Work:
    """A cell's run, and what it needs; sent to each process once."""

    datasets: dict[str, Dataset]
    sides: dict[str, Sequence[PoolAndTest]]

    def __call__(self, cell: Cell) -> Outcome:
        corpus = cell.task.split(" ")[0]
        side = self.sides[corpus][cell.seed % FOLDS]
        return run_trial(
            self.datasets[corpus],
            side,
            SCENARIOS[cell.task],
            cell.strategy,
            cell.learner,
            cell.seed,
            ASKED_DIMENSIONS,
        )


def with_norms(corpus: Corpus) -> Corpus:
    """Acted emotions as dimensions: each clip is rated by the affective norm of its emotion."""
    clips = []
    for clip in corpus.clips:
        norm = affective_norm({"calm": "neutral"}.get(clip.emotion or "", clip.emotion or ""))
        clips.append(clip if norm is None else replace(clip, affect=Rating(*norm)))
    return replace(corpus, clips=tuple(clips))


def prepared(cache: Path) -> Work:
    iemocap, _ = four_emotions(read_iemocap())
    datasets, sides = {}, {}
    splits = leave_one_session_out(iemocap)
    datasets["iemocap"] = dataset_of(iemocap, np.arange(len(iemocap)))
    sides["iemocap"] = [PoolAndTest(split.train, split.test) for split in splits]
    for name in ("ravdess", "nemo"):
        corpus = with_norms(embedded(name, cache))
        datasets[name] = dataset_of(corpus, np.arange(len(corpus)))
        folds = speaker_folds(corpus, FOLDS, np.random.default_rng(0))
        sides[name] = [PoolAndTest(split.train, split.test) for split in folds]
    return Work(datasets, sides)


def areas_over_random(
    results: Results, seeds: int, reading: str
) -> dict[tuple[str, str], dict[str, Vector]]:
    """For each task and measure the areas of every strategy, [seeds], less random's."""
    found = {}
    for task in SCENARIOS:
        for judged in JUDGED[task.split(" ")[0]]:
            measure = judged.replace("/ccc", f"/{reading}")
            runs = {
                name: [results[Cell(task, "plain", name, seed)] for seed in range(seeds)]
                for name in names()
            }
            curves = {
                name: Curve.of(
                    [(run.labels, [0.0 if v != v else v for v in run.values[measure]])
                     for run in of]
                )
                for name, of in runs.items()
            }  # fmt: skip
            areas = {name: curve.areas() for name, curve in curves.items()}
            found[task, judged] = {name: area - areas[PASSIVE] for name, area in areas.items()}
    return found


def ranking(results: Results, seeds: int, reading: str) -> dict[str, Any]:
    """A row a strategy, from the best mean rank down, and Friedman's test over all of them."""
    found = areas_over_random(results, seeds, reading)
    strategies = names()
    gains = np.array([[column[name] for name in strategies] for column in found.values()])
    # Ranks within each task, measure and seed, 1 the best; equal ones share the mean of theirs.
    ranks = rankdata(-gains, axis=1)
    others = [name for name in strategies if name != PASSIVE]
    by_name = units(found, ("ccc", "uar"))
    affect = units(found, ("ccc",))
    p, affect_p = (
        dict(zip(others, holm([signed_rank_p(of[name]) for name in others]), strict=True))
        for of in (by_name, affect)
    )
    default = compare(by_name, DEFAULT)
    rows = [
        {
            "strategy": name,
            "mean_rank": float(ranks[:, index].mean()),
            "over_random": float(by_name[name].mean()),
            "p": p.get(name),
            "affect_over_random": float(affect[name].mean()),
            "affect_p": affect_p.get(name),
            "over_default_p": default[name].p if name in default else None,
            "worse_than_random": worse_than_random(found, name),
            "tasks": {
                f"{task}, {measure}": round(float(column[name].mean()), 4)
                for (task, measure), column in found.items()
            },
        }
        for index, name in enumerate(strategies)
    ]
    friedman = friedmanchisquare(*by_name.values())
    return {
        "reading": reading,
        "friedman_p": float(friedman.pvalue),
        "rows": sorted(rows, key=lambda row: float(row["mean_rank"])),
    }


def units(
    found: dict[tuple[str, str], dict[str, Vector]], measures: Sequence[str]
) -> dict[str, Vector]:
    """Of every strategy, the area over random's in each task and seed, [tasks * seeds].

    Seeds of one task share speakers and answers over its measures: their mean is one unit.
    """
    return {
        name: np.concatenate(
            [
                np.mean(
                    [column[name] for (of, measure), column in found.items()
                     if of == task and measure.split("/")[1] in measures],
                    axis=0,
                )
                for task in SCENARIOS
            ]
        )
        for name in names()
    }  # fmt: skip


def worse_than_random(found: dict[tuple[str, str], dict[str, Vector]], name: str) -> list[str]:
    """The tasks and measures in which it is, by more than chance between seeds explains."""
    if name == PASSIVE:
        return []
    tests = [ttest_1samp(column[name], 0.0, alternative="less").pvalue for column in found.values()]
    below = holm([1.0 if np.isnan(p) else float(p) for p in tests])
    return [", ".join(key) for key, p in zip(found, below, strict=True) if p < NOISE]


def table(figures: dict[str, Any]) -> str:
    rows = figures["rows"]
    keys = list(rows[0]["tasks"])
    heads = [f"{''.join(w[0] for w in key.split()[:2])}:{key.split(', ')[1][:7]}" for key in keys]
    lines = [
        f"by {figures['reading']}; Friedman's p {figures['friedman_p']:.3g}",
        f"{'strategy':26} {'rank':>5} {'area':>8} {'p':>6} {'affect':>8} {'p':>6}  "
        + " ".join(f"{head:>10}" for head in heads),
    ]
    for row in rows:
        p, affect_p = ("" if row[k] is None else f"{row[k]:.3f}" for k in ("p", "affect_p"))
        cells = " ".join(f"{row['tasks'][key]:+10.3f}" for key in keys)
        lines.append(
            f"{row['strategy']:26} {row['mean_rank']:5.1f} {row['over_random']:+8.4f} {p:>6} "
            f"{row['affect_over_random']:+8.4f} {affect_p:>6}  "
            f"{cells}"
        )
        if row["worse_than_random"]:
            lines.append(f"    worse than random: {'; '.join(row['worse_than_random'])}")
    return "\n".join(lines)


def main() -> None:
    parser = flags("strategies", __doc__, seeds=FOLDS)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (not part of this)")
    cells = [
        Cell(task, "plain", strategy, seed)
        for seed in range(options.seeds)
        for task in SCENARIOS
        for strategy in names()
    ]
    head = {"benchmark": "strategies", "version": 1}
    results = run_grid(cells, prepared(options.cache), options.log, head, options.jobs)
    rankings = [ranking(results, options.seeds, reading) for reading in READINGS]
    figures = {"machine": machine(), "seeds": options.seeds, "rankings": rankings}
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print("\n\n".join(table(one) for one in rankings))


if __name__ == "__main__":
    main()
