"""CTIAL by its paper's own protocol, within IEMOCAP (Xu, Jiang and Wu 2024, sections 3.1 to 3.3).

    python -m benchmarks.ctial_protocol [--seeds 10] [--queries 60] [--jobs 1] [--log FILE.jsonl]

Improvised utterances of five classes (289 angry, 947 happy with excited, 608 sad, 971 frustrated,
1,099 neutral: the paper's counts); each pair of sessions is the source once. Of the other three two
are the target and one is held out, in turn. The source's models are fixed; the target's, logistic
and ridge regression on principal axes of 90 % of the variance, are fitted again after every answer,
their penalties chosen out of 1, 5, 10, 50, 100, 500, 1000, 5000 by three folds of the answers
(chosen anew every tenth answer). 20 answers at random, then one query at a time. Measured on the
whole target, whose answered utterances count with their true label, as the paper does, and on the
held-out session. The paper has 200 queries and 30 runs on 768 means of wav2vec2-base-960h; here are
47 functionals. Wilcoxon signed-rank over the runs, Holm over the strategies, at several counts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np

from benchmarks.grid import flags, run_grid
from benchmarks.iemocap import of_sessions, read_iemocap
from benchmarks.loop import machine
from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.cross_task import NORM_MAPPING, SourceEstimates
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.metrics import cc, rmse, uar
from streamer.evaluation.protocol import Pool
from streamer.evaluation.run import Outcome
from streamer.evaluation.significance import compare
from streamer.learners.adaptation import principal_axes
from streamer.learners.affective_norms import affective_norm
from streamer.learners.softmax import softmax
from streamer.learners.source import LabelledSource, SourceModel, fit_classes, fit_ridge
from streamer.query.model_view import ModelView
from streamer.query.strategies import make_strategy
from streamer.query.strategy import Labelled
from streamer.types import DIMENSIONS, Matrix

EMOTIONS, AFFECT = "emotions", "dimensions"
CLASSES: Final = ("angry", "frustrated", "happy", "neutral", "sad")
COUNTS: Final = {"angry": 289, "frustrated": 971, "happy": 947, "neutral": 1099, "sad": 608}
PENALTIES: Final = (1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0)
FOLDS: Final = 3
CHOSEN_EVERY: Final = 10
FIRST: Final = 20
STRATEGIES: Final = {
    EMOTIONS: ("random", "entropy", "least-confidence", "source-mtigs", "cti", "cti-entropy",
               "lc-ctial"),
    AFFECT: (NORM_MAPPING, "random", "mtigs", "source-least-confidence", "ctigs", "cti",
             "mtigs-ctial"),
}  # fmt: skip
SMALLER: Final = frozenset({"rmse", "held-out rmse"})


class TargetModel:
    """The target's models on principal axes, fitted again after every answer.

    features: float64 [n, d], standard scores of all utterances; what a strategy sees are their
    principal axes.
    """

    def __init__(self, dataset: Dataset, target: Indices, task: str, source: SourceModel) -> None:
        mean, axes = principal_axes(dataset.features[target])
        self.features: Matrix = (dataset.features - mean) @ axes
        self.dataset, self.task, self._source = dataset, task, source
        self._answered: list[int] = []
        self._penalty = PENALTIES[2]
        self._weights = np.zeros((axes.shape[1] + 1, len(CLASSES) if task == EMOTIONS else 3))
        self._truth = np.array([CLASSES.index(str(e)) if e in CLASSES else -1
                                for e in dataset.emotions])  # fmt: skip
        self._raw = dataset.features
        estimates = _Estimates(self) if task == AFFECT else SourceEstimates(_Projected(self))
        classifier = _Projected(self) if task == AFFECT else self
        self.knowledge = ModelView(
            estimates, self._labelled, lambda: classifier, of_source=task == AFFECT
        )

    @property
    def classes(self) -> Sequence[str]:
        return CLASSES if len(self._answered) else ()

    def learn(self, utterance: int) -> None:
        self._answered.append(utterance)
        if len(self._answered) < FIRST:
            return
        if len(self._answered) % CHOSEN_EVERY == 0:
            self._penalty = self._best_penalty()
        self._weights = self._fit(np.array(self._answered), self._penalty)

    def hear(self, utterances: Sequence[int]) -> None:
        pass

    def outputs(self, rows: Matrix) -> Matrix:
        return np.asarray(rows @ self._weights[:-1] + self._weights[-1])

    def probabilities(self, features: Matrix) -> Matrix:
        return softmax(self.outputs(features))

    def source_rows(self, features: Matrix) -> Matrix:
        """The standard scores of rows that a strategy was shown, for the source's models."""
        places = {row.tobytes(): i for i, row in enumerate(self.features)}
        return self._raw[[places[row.tobytes()] for row in features]]

    @property
    def source(self) -> SourceModel:
        return self._source

    @property
    def answered(self) -> list[int]:
        return self._answered

    def _fit(self, at: np.ndarray, penalty: float) -> Matrix:
        rows = self.features[at]
        if self.task == AFFECT:
            return fit_ridge(rows, self.dataset.affect[at], penalty)
        weights = fit_classes(rows, self._truth[at], penalty)
        missing = len(CLASSES) - weights.shape[1]
        never = np.zeros((len(weights), missing))
        never[-1] = -1e3
        return np.concatenate([weights, never], axis=1)

    def _best_penalty(self) -> float:
        at = np.array(self._answered)
        losses = []
        for penalty in PENALTIES:
            loss = 0.0
            for fold in range(FOLDS):
                held = at[fold::FOLDS]
                weights = self._fit(np.setdiff1d(at, held), penalty)
                said = self.features[held] @ weights[:-1] + weights[-1]
                if self.task == AFFECT:
                    loss += float(((said - self.dataset.affect[held]) ** 2).sum())
                else:
                    loss += 1.0 - uar(said.argmax(axis=1), self._truth[held])
            losses.append(loss)
        return PENALTIES[int(np.argmin(losses))]

    def _labelled(self) -> Labelled:
        at = np.array(self._answered, np.intp)
        answers = np.full((len(at), 3), np.nan)
        emotions: list[str | None] = [None] * len(at)
        if self.task == AFFECT:
            answers = self.dataset.affect[at]
        else:
            emotions = [self.dataset.emotions[i] for i in at]
        return Labelled(self.features[at], answers, emotions)


class _Projected:
    """The source's models for rows as a strategy sees them."""

    def __init__(self, target: TargetModel) -> None:
        self._target = target
        self.classes = target.source.classes

    def probabilities(self, features: Matrix) -> Matrix:
        return self._target.source.probabilities(self._target.source_rows(features))

    def means(self, features: Matrix) -> Matrix:
        return self._target.source.means(self._target.source_rows(features))


class _Estimates(SourceEstimates):
    """The target's own dimensions."""

    def __init__(self, target: TargetModel) -> None:
        self.means = target.outputs


@dataclass(frozen=True)
class Work:
    dataset: Dataset
    corpus: Corpus
    usable: Indices
    queries: int

    def __call__(self, cell: Cell) -> Outcome:
        pairs = list(combinations(range(1, 6), 2))
        pair = pairs[cell.seed % len(pairs)]
        others = [k for k in range(1, 6) if k not in pair]
        held = others[(cell.seed // len(pairs)) % 3]
        source, target, test = (
            np.intersect1d(of_sessions(self.corpus, part), self.usable)
            for part in (set(pair), set(others) - {held}, {held})
        )
        dataset = self.dataset
        model = SourceModel(
            LabelledSource(dataset.features[source], dataset.affect[source],
                           [dataset.emotions[i] for i in source]), dataset.features[target],
        )  # fmt: skip
        learner = TargetModel(dataset, target, cell.task, model)
        order_rng, choice_rng = (np.random.default_rng((cell.seed, k)) for k in range(2))
        order = [int(i) for i in order_rng.permutation(target)]
        maps = cell.strategy == NORM_MAPPING
        strategy = make_strategy("random" if maps else cell.strategy, DIMENSIONS)
        outcome = Outcome()
        scenario = Pool(batch=1, rounds=self.queries, first=FIRST)
        for progress in scenario.run(learner, strategy, order, choice_rng):
            if progress.labels % CHOSEN_EVERY:
                continue
            outcome.labels.append(progress.labels)
            for name, value in self._measured(learner, target, test, maps).items():
                outcome.values.setdefault(name, []).append(value)
        return outcome

    def _measured(
        self, learner: TargetModel, target: Indices, test: Indices, maps: bool
    ) -> dict[str, float]:
        known = np.isin(target, learner.answered)
        values: dict[str, float] = {}
        for part, rows in (("", target), ("held-out ", test)):
            said = learner.outputs(learner.features[rows])
            if maps:
                norms = np.array([affective_norm(name) for name in learner.source.classes])
                said = learner.source.probabilities(self.dataset.features[rows]) @ norms
            if learner.task == EMOTIONS:
                truth = learner._truth[rows]
                guesses = said.argmax(axis=1)
                if not part:
                    guesses[known] = truth[known]
                values[f"{part}bca"] = uar(guesses, truth)
                continue
            affect = self.dataset.affect[rows]
            if not part:
                said = np.where(known[:, None], affect, said)
            for name, measure in (("rmse", rmse), ("cc", cc)):
                each = [measure(said[:, k], affect[:, k]) for k in range(3)]
                values[part + name] = float(np.mean(each))
        return values

    def __hash__(self) -> int:
        return id(self)


def improvised(corpus: Corpus) -> tuple[Corpus, Indices]:
    """Excited as happy, and where the improvised utterances of the five classes are."""
    clips = tuple(
        replace(c, emotion="happy") if c.emotion == "excited" else c for c in corpus.clips
    )
    merged = replace(corpus, clips=clips)
    usable = np.flatnonzero(
        (merged.classes(CLASSES) >= 0)
        & np.array(["_impro" in clip.utterance for clip in clips])
        & np.isfinite(merged.affect()).all(axis=1)
    )
    counts = {name: sum(clips[i].emotion == name for i in usable) for name in CLASSES}
    if counts != COUNTS:
        raise SystemExit(f"the table's counts are {counts}, the paper's {COUNTS}")
    return merged, usable


def summary(results: Results, seeds: int) -> list[dict[str, Any]]:
    """A row a task, measure and strategy: values by labels, and against random at each of them."""
    rows = []
    for task, names in STRATEGIES.items():
        first = results[Cell(task, "cv", "random", 0)]
        for measure in first.values:
            tables = {
                name: np.array(
                    [results[Cell(task, "cv", name, seed)].values[measure] for seed in range(seeds)]
                )
                for name in names
            }
            smaller = measure in SMALLER
            at_each = [
                compare(
                    {n: t[:, k] for n, t in tables.items()}, "random", smaller_is_better=smaller
                )
                for k in range(len(first.labels))
            ]
            for name, values in tables.items():
                mean = dict(zip(map(str, first.labels), values.mean(0).round(4).tolist(),
                                strict=True))  # fmt: skip
                row: dict[str, Any] = {
                    "task": task, "measure": measure, "strategy": name,
                    "mean": round(float(values.mean()), 4), "at": mean,
                }  # fmt: skip
                if name in at_each[0]:
                    row["marks"] = "".join(found[name].mark or "." for found in at_each)
                    areas = {n: t.mean(axis=1) for n, t in tables.items()}
                    found = compare(areas, "random", smaller_is_better=smaller)[name]
                    row |= {"gain": round(found.gain, 4), "p": round(found.p, 4)}
                rows.append(row)
    return rows


def main() -> None:
    parser = flags("ctial_protocol", __doc__, seeds=10)
    parser.add_argument("--queries", type=int, default=60)
    options = parser.parse_args()
    corpus, usable = improvised(read_iemocap())
    work = Work(dataset_of(corpus, usable), corpus, usable, options.queries)
    cells = [
        Cell(task, "cv", strategy, seed)
        for seed in range(options.seeds)
        for task, names in STRATEGIES.items()
        for strategy in names
    ]
    head = {"benchmark": "ctial_protocol", "version": 1, "queries": options.queries}
    results = run_grid(cells, work, options.log, head, options.jobs)
    rows = summary(results, options.seeds)
    about = {"machine": machine(), "runs": options.seeds, "queries": options.queries, "rows": rows}
    options.out.write_text(json.dumps(about, indent=1) + "\n")
    for row in rows:
        tail = f"{row['gain']:+.4f} p {row['p']:.3f} {row['marks']}" if "p" in row else ""
        print(f"{row['task']:11} {row['measure']:13} {row['strategy']:24} {row['mean']:.4f} {tail}")


if __name__ == "__main__":
    main()
