"""Which strategy, for whom: every voice and every session is a test, by the paper's measure first.

    python -m benchmarks.strategies_by_voice [--draws 2] [--seeds 2] [--out FILE.json]

The product's setting: one voice is one profile, which starts from a prior that never had the labels
of its corpus (`benchmarks.voices`), or from none; buffers of 10 or 40, half asked, until the pool
of the voice is at its end; five corpora, 49 voices. And IEMOCAP's 47 functionals, each of the five
sessions the test once, a stream of 1,000 from the other four, no prior: ratings instead of norms.

After every buffer, on utterances that are never asked about: CC (Han et al.'s measure), RMSE and
CCC of valence and arousal, and the width of the 80 % intervals; and prequentially, the RMSE of the
next buffer before it is asked. The area under each curve less that of random, the same voice and
draw; mean over draws, Wilcoxon signed-rank over voices (IEMOCAP: sessions and seeds), Holm over
strategies. "labels": how many each needs for the best of random's mean. UAR: of the emotions, by
the prototypes that the names in the answers make.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.iemocap import of_sessions, read_iemocap
from benchmarks.loop import RESULTS, machine
from benchmarks.voices import encoder_row, prior_without, sessions, vectors_of, voices_of
from streamer.evaluation.dataset import dataset_of
from streamer.evaluation.metrics import cc, ccc, rmse, uar
from streamer.evaluation.significance import holm, signed_rank_p
from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import PRIOR_WEIGHT
from streamer.learners.prior import Prior
from streamer.learners.prototypes import Population, build_prototypes, cosine_distance
from streamer.query.model_view import ModelView
from streamer.query.selection import choose
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ASKED_DIMENSIONS, Labelled
from streamer.types import Label, Matrix, Vector

STRATEGIES: Final = (
    "random", "binary-confidence", "binary-confidence:valence", "binary-confidence:arousal",
    "in-turn", "spread", "spread:valence", "spread:arousal", "spread-in-turn", "k-means",
    "variance", "variance:valence", "variance:arousal", "batchbald", "mtigs",
)  # fmt: skip
CORPORA: Final = ("emovo", "nemo", "turev", "ravdess", "savee")
LENGTH: Final = 1000
MEASURES: Final = (
    "valence/cc", "valence/rmse", "valence/ccc", "arousal/cc", "arousal/rmse", "arousal/ccc",
    "width", "prequential/rmse", "uar",
)  # fmt: skip
SMALLER: Final = ("rmse", "width")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a run is on: features [n, d], affect [n, 3], emotions [n]; who asks in which order.

    vectors: emotion vectors [n, e] and usual: their mean [e]; None where there are none.
    """

    unit: str
    features: Matrix
    affect: Matrix
    emotions: Sequence[str | None]
    pool: Sequence[int]
    test: Vector
    prior: Prior
    vectors: Matrix | None = None
    usual: Vector | None = None


def run(task: Task, name: str, buffer: int, seed: int) -> tuple[list[int], Matrix]:
    """Labels after each buffer, and the measures there, [buffers + 1, measures]."""
    base, _, dimension = name.partition(":")
    strategy = make_strategy(base, (dimension,) if dimension else ASKED_DIMENSIONS)
    learner = AffectLearner(task.prior)
    learned: list[tuple[Label, Vector]] = []
    knowledge = ModelView(
        learner,
        lambda: Labelled.of(learned, task.features.shape[1]),
    )
    rng = np.random.default_rng(seed)
    counts, rows, errors = [0], [measured(task, learner, [], 0.0)], []
    for start in range(0, len(task.pool), buffer):
        part = list(task.pool[start : start + buffer])
        errors.append(
            np.sqrt(((learner.means(task.features[part]) - task.affect[part]) ** 2).mean())
        )
        choice = choose(strategy, task.features[part], knowledge, 0.5, 0.0, rng)
        for at in choice.asked:
            index = part[at]
            label = Label(index, *map(float, task.affect[index]), task.emotions[index], "me")
            learner.learn(task.features[index], label, first=True)
            learned.append((label, task.features[index]))
        counts.append(len(learned))
        rows.append(measured(task, learner, learned, float(np.mean(errors))))
    rows[0][MEASURES.index("prequential/rmse")] = errors[0]
    return counts, np.array(rows)


def measured(
    task: Task,
    learner: AffectLearner,
    learned: Sequence[tuple[Label, Vector]],
    prequential: float,
) -> list[float]:
    said, truth = learner.means(task.features[task.test]), task.affect[task.test]
    found: list[float] = []
    for column in range(2):
        for measure in (cc, rmse, ccc):
            value = measure(said[:, column], truth[:, column])
            found.append(0.0 if np.isnan(value) else value)
    deviations = learner.deviations(task.features[task.test])
    widths = [one.interval.width for one in learner.dimensions.values()]
    found.append(float((2.0 * deviations * widths)[:, :2].mean()))
    return [*found, prequential, named_rightly(task, [label for label, _ in learned])]


def named_rightly(task: Task, labels: Sequence[Label]) -> float:
    """UAR on the test's emotions; 0 before any is known."""
    if task.vectors is None or task.usual is None:
        return 0.0
    enrolled: dict[str, list[Vector]] = {}
    for label in labels:
        enrolled.setdefault(str(label.emotion), []).append(task.vectors[label.utterance])
    given = {name: np.array(rows) for name, rows in enrolled.items()}
    prototypes = build_prototypes(given, task.usual, Population.of(task.prior))
    classes = sorted({str(task.emotions[i]) for i in task.test})
    table = {name: prototypes[name].mean for name in classes if name in prototypes}
    if not table:
        return 0.0
    distances = [cosine_distance(task.vectors[task.test] - task.usual, m) for m in table.values()]
    told = np.array([classes.index(name) for name in table])[np.argmin(distances, axis=0)]
    return uar(told, np.array([classes.index(str(task.emotions[i])) for i in task.test]))


def voice_tasks(encoder: str, draws: int, *, informed: bool) -> list[Task]:
    row = encoder_row(encoder)
    clips, embeddings, vectors = vectors_of(row)
    tasks = []
    for corpus in CORPORA:
        prior = prior_without(row, corpus)
        start = prior if informed else Prior.uninformed(prior.size, len(prior.emotion_mean))
        for number, voice in enumerate(voices_of(clips, embeddings, vectors, corpus)):
            weight = PRIOR_WEIGHT + len(voice)
            usual = (PRIOR_WEIGHT * prior.emotion_mean + voice.vectors.sum(axis=0)) / weight
            for session in sessions(voice, prior, draws, number, most=80):
                tasks.append(
                    Task(
                        f"{corpus}/{voice.name}",
                        session.features,
                        voice.affect,
                        voice.emotions,
                        [int(i) for i in session.pool],
                        session.test,
                        start,
                        voice.vectors,
                        usual,
                    )
                )
    return tasks


def iemocap_tasks(seeds: int) -> list[Task]:
    corpus = read_iemocap()
    tasks = []
    for session in range(1, 6):
        pool = of_sessions(corpus, {1, 2, 3, 4, 5} - {session})
        test = of_sessions(corpus, {session})
        dataset = dataset_of(corpus, pool, "pool")
        rated = np.isfinite(dataset.affect).all(axis=1)
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(pool[rated[pool]])[:LENGTH]
            size = dataset.features.shape[1]
            tasks.append(
                Task(
                    f"session {session}, {seed}",
                    dataset.features,
                    dataset.affect,
                    [None] * len(dataset.affect),
                    [int(i) for i in order],
                    test[rated[test]],
                    Prior.uninformed(size, 1),
                )
            )
    return tasks


def compare_all(
    tasks: Sequence[Task], names: Sequence[str], buffer: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Areas less random's by measure and strategy, their p, and the labels that each needs."""
    units = sorted({task.unit for task in tasks})
    areas: dict[str, dict[str, list[Vector]]] = {n: {u: [] for u in units} for n in names}
    curves: dict[str, list[Matrix]] = {n: [] for n in names}
    counts: list[int] = []
    for number, task in enumerate(tasks):
        for name in names:
            labels, rows = run(task, name, buffer, number)
            weights = np.diff(labels)
            # The trapezoid under each curve, over the labels: a mean of the measure.
            area = weights @ ((rows[1:] + rows[:-1]) / 2.0) / weights.sum()
            areas[name][task.unit].append(area)
            if len(labels) > len(counts):
                counts = labels
            curves[name].append(rows)
        progress(f"buffers of {buffer}: {number + 1} of {len(tasks)}")
    means = {n: np.array([np.mean(areas[n][u], axis=0) for u in units]) for n in names}
    found: dict[str, Any] = {"units": len(units), "random": {}, "strategies": {}}
    for at, measure in enumerate(MEASURES):
        found["random"][measure] = round(float(means["random"][:, at].mean()), 4)
    others = [n for n in names if n != "random"]
    for at, measure in enumerate(MEASURES):
        gains = {n: means[n][:, at] - means["random"][:, at] for n in others}
        p = dict(zip(others, holm([signed_rank_p(gains[n]) for n in others]), strict=True))
        for name in others:
            row = found["strategies"].setdefault(name, {})
            row[measure] = [round(float(gains[name].mean()), 4), round(p[name], 4)]
    shortest = min(len(rows) for rows in curves["random"])
    for name in names:
        mean = np.mean([rows[:shortest] for rows in curves[name]], axis=0)
        needed = {}
        for measure in ("valence/cc", "arousal/cc", "valence/rmse", "arousal/rmse"):
            at = MEASURES.index(measure)
            sign = -1.0 if measure.endswith(SMALLER) else 1.0
            best = np.mean([rows[:shortest] for rows in curves["random"]], axis=0)[:, at] * sign
            reached = np.flatnonzero(mean[:, at] * sign >= best.max())
            needed[measure] = int(counts[reached[0]]) if len(reached) else None
        (found["strategies"][name] if name != "random" else found)["labels"] = needed
    return found


def table(title: str, found: dict[str, Any]) -> str:
    heads = [m for m in MEASURES if m not in ("valence/ccc", "arousal/ccc")]
    passive = " | ".join(f"{found['random'][m]:.3f}" for m in heads)
    lines = [f"{title}: {found['units']} units", "| | " + " | ".join(heads) + " |",
             "|---" * (len(heads) + 1) + "|", f"| random | {passive} |"]  # fmt: skip
    for name, row in found["strategies"].items():
        cells = [f"{row[m][0]:+.3f}{'*' if row[m][1] < 0.05 else ''}" for m in heads]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "strategies_by_voice.json")
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine(), "draws": options.draws, "tasks": {}}
    informed = voice_tasks(options.encoder, options.draws, informed=True)
    alone = voice_tasks(options.encoder, options.draws, informed=False)
    ratings = iemocap_tasks(options.seeds)
    grid = {
        "voices, prior, buffers of 10": (informed, STRATEGIES, 10),
        "voices, prior, buffers of 40": (informed, STRATEGIES, 40),
        "voices, no prior, buffers of 10": (alone, STRATEGIES, 10),
        "voices, no prior, buffers of 40": (alone, STRATEGIES, 40),
        "IEMOCAP, buffers of 40": (ratings, STRATEGIES, 40),
        "IEMOCAP, buffers of 10": (ratings, STRATEGIES, 10),
    }
    for title, (tasks, names, buffer) in grid.items():
        found = compare_all(tasks, names, buffer, lambda text: print(text, end="\r", flush=True))
        figures["tasks"][title] = found
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
        print(table(title, found), flush=True)


if __name__ == "__main__":
    main()
