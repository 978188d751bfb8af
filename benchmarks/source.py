"""What is a labelled source worth to a new corpus, and does aligning it help?

    python -m benchmarks.source [--folds 5] [--cache DIR] [--out FILE.json]

Five pairs of corpora, four emotions, embeddings of the default encoder, standard scores by
speaker (what a profile does anyway, and so the baseline). SAVEE and EMOVO are corpora that the
encoder never heard; it was distilled on the sound, not the labels, of the others. Dimensions are
the affective norms of the emotions (`streamer.learners.affective_norms`).

Quality: balanced accuracy (BCA) of the source's classifier, and concordance (CCC, mean of three
dimensions) of its regression, on the whole target without one of its labels; by alignment none,
TCA and BDA (CTIAL, sections 3.1 and 5.3; the dimensions have no classes, so that BDA is TCA there).

Labels: random answers of the target, tested on a fold of its speakers. A source starts the
regression as its prior, and counts as 20 answers in the class chances. How many labels are needed
for what 100 give without a source? Wilcoxon signed-rank over the folds at 20 labels.
"""

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from streamer.config import Config
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.cross_task import labelled_source, with_norms
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.embedding import embed
from streamer.evaluation.learners import EMOTION_PENALTY
from streamer.evaluation.metrics import ccc, uar
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.run import PoolAndTest
from streamer.evaluation.significance import signed_rank_p
from streamer.evaluation.splits import speaker_folds
from streamer.learners.affect import AffectLearner
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.prior import Prior
from streamer.learners.source import ALIGNMENTS, LabelledSource, SourceModel
from streamer.loop.compose import make_encoder
from streamer.types import Label, Matrix

PAIRS: Final = (
    ("ravdess", "nemo"),
    ("tess", "ravdess"),
    ("urdu", "nemo"),
    ("ravdess", "emovo"),
    ("nemo", "savee"),
)
CLASSES: Final = ("angry", "happy", "neutral", "sad")
POINTS: Final = (0, 5, 10, 20, 50, 100, 200)
COMPARED_AT: Final = 20
WITHOUT: Final = "no source"
SOURCE_LABELS: Final = 20.0


def embedded(name: str, cache: Path) -> Corpus:
    corpus = read_corpus(name, SHARED / "speech")
    found = embed(corpus, partial(make_encoder, Config(), ""), cache).corpus
    return found.take(np.flatnonzero(found.classes(CLASSES) >= 0))


def quality(source: LabelledSource, target: Dataset) -> Iterator[dict[str, Any]]:
    """A row an alignment: what the source says of the whole target."""
    for alignment in ALIGNMENTS:
        model = SourceModel(source, target.features, alignment)
        truth = np.array([model.classes.index(str(name)) for name in target.emotions])
        said = model.probabilities(target.features).argmax(axis=1)
        yield {
            "alignment": alignment,
            "balance": model.balance,
            "bca": uar(said, truth),
            "ccc": mean_ccc(model.means(target.features), target.affect),
        }


def mean_ccc(means: Matrix, truth: Matrix) -> float:
    return float(np.mean([ccc(means[:, k], truth[:, k]) for k in range(truth.shape[1])]))


def curves(
    model: SourceModel | None, target: Dataset, side: PoolAndTest, seed: int
) -> dict[str, Any]:
    """BCA and CCC of the test side at each of `POINTS` labels, drawn at random from the pool."""
    size = target.features.shape[1]
    prior = Prior.uninformed(size, 1)
    if model is not None:
        weights, intercept = model.affect_weights
        prior = Prior(
            prior.embedding_mean, prior.embedding_deviation, prior.emotion_mean,
            weights, intercept, prior.noise,
        )  # fmt: skip
    affect, classifier = AffectLearner(prior), OnlineLogistic(size, EMOTION_PENALTY * size)
    rows = target.features[side.test]
    truth = np.array([CLASSES.index(str(target.emotions[i])) for i in side.test])
    found: dict[str, list[float]] = {"bca": [], "ccc": []}
    learned = 0
    for utterance in [-1, *np.random.default_rng(seed).permutation(side.pool).tolist()]:
        if utterance >= 0:
            valence, arousal, dominance = target.affect[utterance]
            name = str(target.emotions[utterance])
            label = Label(utterance, valence, arousal, dominance, name, "corpus")
            affect.learn(target.features[utterance], label, first=True)
            classifier.learn(target.features[utterance], name)
            learned += 1
        if learned in POINTS:
            found["ccc"].append(mean_ccc(affect.means(rows), target.affect[side.test]))
            chances = np.full((len(rows), len(CLASSES)), 1e-9)
            if classifier.classes:
                columns = [CLASSES.index(name) for name in classifier.classes]
                chances[:, columns] += learned * classifier.probabilities(rows)
            if model is not None:
                columns = [CLASSES.index(name) for name in model.classes]
                chances[:, columns] += SOURCE_LABELS * model.probabilities(rows)
            found["bca"].append(uar(chances.argmax(axis=1), truth))
        if learned == POINTS[-1]:
            break
    return found


def needed(curve: np.ndarray, level: float) -> float | None:
    """Labels at which a mean curve over `POINTS` first reaches a level, between two points."""
    reached = np.flatnonzero(curve >= level)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return float(POINTS[0])
    rise = (level - curve[at - 1]) / (curve[at] - curve[at - 1])
    return round(float(POINTS[at - 1] + rise * (POINTS[at] - POINTS[at - 1])), 1)


def pair_row(names: tuple[str, str], corpora: dict[str, Corpus], folds: int) -> dict[str, Any]:
    source_corpus, target_corpus = (corpora[name] for name in names)
    source = labelled_source(
        source_corpus, dataset_of(source_corpus, np.arange(len(source_corpus)))
    )
    target = with_norms(dataset_of(target_corpus, np.arange(len(target_corpus))))
    splits = speaker_folds(
        target_corpus, min(folds, len(target_corpus.speakers)), np.random.default_rng(0)
    )
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in (WITHOUT, *ALIGNMENTS)}
    for seed, split in enumerate(splits):
        side = PoolAndTest(split.train, split.test)
        for name, done in runs.items():
            pool = target.features[side.pool]
            model = None if name == WITHOUT else SourceModel(source, pool, name)
            done.append(curves(model, target, side, seed))
    labels: list[dict[str, Any]] = []
    for measure in ("bca", "ccc"):
        tables = {name: np.array([run[measure] for run in done]) for name, done in runs.items()}
        usual = tables[WITHOUT]
        level = float(usual.mean(axis=0)[POINTS.index(100)])
        at = POINTS.index(COMPARED_AT)
        for name, values in tables.items():
            labels.append({
                "measure": measure, "start": name, "folds": len(values),
                "at": dict(zip(map(str, POINTS), values.mean(axis=0).round(4).tolist(),
                               strict=True)),
                "labels_to_reach": needed(values.mean(axis=0), level),
                "level": round(level, 4),
                "p_at_20": signed_rank_p(values[:, at] - usual[:, at]),
            })  # fmt: skip
    return {
        "source": names[0], "target": names[1], "clips": [len(source.features), len(target)],
        "quality": list(quality(source, target)), "labels": labels,
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'pair':18} {'':9} " + " ".join(f"{name:>13}" for name in (WITHOUT, *ALIGNMENTS))]
    for row in rows:
        pair = f"{row['source']} -> {row['target']}"
        for measure in ("bca", "ccc"):
            said = " ".join(f"{q[measure]:13.3f}" for q in row["quality"])
            lines.append(f"{pair:18} {measure + ' at 0':9} {'':>13} {said}")
            own = [r for r in row["labels"] if r["measure"] == measure]
            reach = " ".join(f"{r['labels_to_reach'] or 'never':>13}" for r in own)
            at = " ".join(f"{r['at']['20']:.3f} p {r['p_at_20']:4.2f}".rjust(13) for r in own)
            lines.append(f"{'':18} {'at 20':9} {at}")
            lines.append(f"{'':18} {'labels':9} {reach}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    parser.add_argument("--out", type=Path, default=RESULTS / "source.json")
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (data that is not part of it)")
    names = dict.fromkeys(name for pair in PAIRS for name in pair)
    corpora = {name: embedded(name, options.cache) for name in names}
    rows = [pair_row(pair, corpora, options.folds) for pair in PAIRS]
    options.out.write_text(json.dumps({"machine": machine(), "pairs": rows}, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
