"""What the first labels of a voice bring: before there was a hierarchical prior, and since.

    python -m benchmarks.ten_labels [--encoder NAME] [--draws 5] [--out FILE.json]

One voice is one profile; labels are the affective norms of the acted emotions; the prior never had
the labels of the corpus that it is tested on (the encoder may have heard its audio). A voice's
clips are heard, then some are labelled in random order; the others are the test. "Before" is
the recipe of the version before, fitted on the same corpora: ridge towards the norms, widened,
strength 0.2, guesses cut at the ends of the scale. Corpora whose voices are short (EmoSpeech-In, 14
to 16 clips) end at 8 labels. Mean over voices and draws; the standard error is over voices.

Beside it: the coverage of the 80 % intervals, each label tested before it is learned; how far one
contradicting label moves the mean guess of all others; guesses at the very end of the scale; how
far 50 repetitions of one recording move its own guess.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.loop import RESULTS, machine
from benchmarks.voices import (
    CORPORA,
    Session,
    encoder_row,
    prior_without,
    sessions,
    vectors_of,
    voices_of,
)
from streamer.learners.affect import AffectLearner
from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.metrics import concordance_cc
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.learners.regression import BayesianRegression
from streamer.training.export.prior import LabelledClips, balanced_weights, labelled_clips
from streamer.types import DIMENSIONS, Label, Matrix, Prediction, Vector

LABELS: Final = (0, 1, 2, 5, 10, 20, 40)
STRENGTH: Final = 0.2
PENALTY: Final = 0.6
FOLDS: Final = 5
END: Final = 0.99
REPETITIONS: Final = 50


class Before:
    """The learner of the version before: one ridge a dimension towards widened weights."""

    def __init__(self, weights: Matrix, intercept: Vector, noise: Vector) -> None:
        size = len(weights)
        doubt = np.sqrt(1.0 + 2.0 / STRENGTH)
        self._dimensions = []
        self.intervals = [AdaptiveInterval() for _ in DIMENSIONS]
        for column in range(len(DIMENSIONS)):
            start = np.append(weights[:, column] * np.sqrt(size), intercept[column])
            deviation = np.array([noise[column] / doubt])
            self._dimensions.append(BayesianRegression(start[:, np.newaxis], STRENGTH, deviation))

    def means(self, features: Matrix) -> Matrix:
        rows = _with_one(features)
        return np.clip(np.hstack([one.predict(rows) for one in self._dimensions]), -1.0, 1.0)

    def learn(self, features: Vector, affect: Vector) -> None:
        row = _with_one(features)
        for one, interval, value in zip(self._dimensions, self.intervals, affect, strict=True):
            mean = float(np.clip(one.predict(row)[0], -1.0, 1.0))
            deviation = one.learn(row, np.array([value]))
            interval.observe(value - mean, float(deviation[0]))


class Since:
    """The product's."""

    def __init__(self, prior: Prior) -> None:
        self._learner = AffectLearner(prior)
        self._count = 0

    @property
    def intervals(self) -> list[AdaptiveInterval]:
        return [one.interval for one in self._learner.dimensions.values()]

    def means(self, features: Matrix) -> Matrix:
        return self._learner.means(features)

    def predict(self, features: Vector) -> Prediction:
        return self._learner.predict(features)

    def learn(self, features: Vector, affect: Vector) -> None:
        self._count += 1
        label = Label(self._count, *map(float, affect), emotion=None, annotator="me")
        self._learner.learn(features, label, first=True)


def _with_one(features: Matrix) -> Matrix:
    ones = np.ones((*features.shape[:-1], 1))
    return np.concatenate([features / np.sqrt(features.shape[-1]), ones], axis=-1)


def fit_before(labelled: LabelledClips) -> tuple[Matrix, Vector, Vector]:
    """Ridge on the norms, widened by what folds of left-out speakers show: W [d, 3], b, noise."""
    share = balanced_weights(labelled.corpora, labelled.emotions)
    share /= share.sum()
    names, number = np.unique(labelled.voices, return_inverse=True)
    fold = number % FOLDS
    answer = np.empty_like(labelled.y)
    for held in range(FOLDS):
        weights, intercept = _ridge(labelled, share, fold != held)
        answer[fold == held] = labelled.x[fold == held] @ weights + intercept
    centre, said = share @ labelled.y, share @ answer
    spread = np.sqrt(share @ (labelled.y - centre) ** 2) / np.sqrt(share @ (answer - said) ** 2)
    noise = np.sqrt(share @ (labelled.y - centre - spread * (answer - said)) ** 2)
    weights, intercept = _ridge(labelled, share, np.ones(len(names[number]), bool))
    return weights * spread, centre + spread * (intercept - centre), noise


def _ridge(labelled: LabelledClips, share: Vector, kept: np.ndarray) -> tuple[Matrix, Vector]:
    x, y, share = labelled.x[kept], labelled.y[kept], share[kept] / share[kept].sum()
    mean, centre = share @ x, share @ y
    gram = (x - mean).T @ ((x - mean) * share[:, np.newaxis]) + PENALTY * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, ((x - mean) * share[:, np.newaxis]).T @ (y - centre))
    return weights, centre - mean @ weights


@dataclass
class Rows:
    """Figures of one corpus and learner, by labels: a row of them for every session."""

    by_labels: dict[int, list[list[float]]] = field(default_factory=dict)
    voices: list[str] = field(default_factory=list)
    covered: int = 0
    tested: int = 0
    moved: list[float] = field(default_factory=list)

    def add(self, labels: int, learner: Before | Since, session: Session) -> None:
        truth, said = (
            session.voice.affect[session.test],
            learner.means(session.features[session.test]),
        )
        ccc = [concordance_cc(said[:, k], truth[:, k]) or 0.0 for k in range(2)]
        error = float(np.sqrt(((said - truth) ** 2).mean()))
        ends = float((np.abs(said[:, 0]) > END).mean())
        self.by_labels.setdefault(labels, []).append([*ccc, error, ends])

    def figures(self) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for labels, of in self.by_labels.items():
            table = np.array(of)
            voices = np.array(self.voices[: len(of)])
            each = np.array([table[voices == name, 2].mean() for name in np.unique(voices)])
            rows[str(labels)] = {
                "ccc_valence": round(float(table[:, 0].mean()), 3),
                "ccc_arousal": round(float(table[:, 1].mean()), 3),
                "rmse": round(float(table[:, 2].mean()), 3),
                "rmse_error": round(float(each.std(ddof=1) / np.sqrt(len(each))), 3),
                "at_the_end": round(float(table[:, 3].mean()), 4),
            }
        return {
            "labels": rows,
            "coverage": round(self.covered / self.tested, 3),
            "moved_by_one_label": round(float(np.mean(self.moved)), 3),
            "moved_most": round(float(np.max(self.moved)), 3),
        }


def contradict(learner: Before | Since, session: Session) -> float:
    """One label at the other end of the valence that is guessed: how far the mean of all moves."""
    guesses = learner.means(session.features)
    at = int(session.pool[0])
    affect = guesses[at].copy()
    affect[0] = -0.9 if guesses[at, 0] > 0 else 0.9
    others = np.delete(np.arange(len(session.voice)), at)
    learner.learn(session.features[at], affect)
    moved = learner.means(session.features[others])[:, 0] - guesses[others, 0]
    return float(abs(moved.mean()))


def repeated(prior: Prior, session: Session, before: int) -> float:
    """How far `REPETITIONS` of one clip move its guess, after so many others were heard."""
    usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    learner, voice = AffectLearner(prior), session.voice
    for index in session.pool[:before]:
        usual.update(voice.embeddings[index])
    clip, guesses = voice.embeddings[session.test[0]], []
    for _ in range(REPETITIONS):
        usual.update(clip)
        guesses.append(learner.means(usual.apply(clip)[np.newaxis])[0])
    return float(np.abs(np.array(guesses) - guesses[0]).max())


def corpus_figures(name: str, corpus: str, draws: int) -> dict[str, Any]:
    row = encoder_row(name)
    clips, embeddings, vectors = vectors_of(row)
    prior = prior_without(row, corpus)
    others = np.array([c.corpus != corpus for c in clips])
    kept = [c for c, keep in zip(clips, others, strict=True) if keep]
    before = fit_before(labelled_clips(embeddings[others], kept))
    found = {"before": Rows(), "since": Rows()}
    drift = []
    for number, voice in enumerate(voices_of(clips, embeddings, vectors, corpus)):
        for session in sessions(voice, prior, draws, number):
            for kind, rows in found.items():

                def made(kind: str = kind) -> Before | Since:
                    return Before(*before) if kind == "before" else Since(prior)

                rows.voices.append(voice.name)
                learner = made()
                for labels in range(len(session.pool) + 1):
                    if labels in LABELS:
                        rows.add(labels, learner, session)
                    if labels < len(session.pool):
                        index = session.pool[labels]
                        learner.learn(session.features[index], voice.affect[index])
                rows.covered += sum(one.covered for one in learner.intervals)
                rows.tested += sum(one.count for one in learner.intervals)
                rows.moved.append(contradict(made(), session))
            drift.append(max(repeated(prior, session, heard) for heard in (0, 10)))
    return {
        **{kind: rows.figures() for kind, rows in found.items()},
        "moved_by_repetition": round(max(drift), 3),
    }


def table(figures: dict[str, Any]) -> str:
    lines = ["| corpus | | " + " | ".join(map(str, LABELS)) + " | coverage |",
             "|---" * (len(LABELS) + 3) + "|"]  # fmt: skip
    for corpus, both in figures["corpora"].items():
        for kind in ("before", "since"):
            cells = []
            for labels in LABELS:
                row = both[kind]["labels"].get(str(labels))
                cells.append(
                    f"{row['ccc_valence']:.3f} / {row['ccc_arousal']:.3f}, {row['rmse']:.3f}"
                    if row else ""
                )  # fmt: skip
            lines.append(
                f"| {corpus if kind == 'before' else ''} | {kind} | " + " | ".join(cells)
                + f" | {both[kind]['coverage']:.3f} |"
            )  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "ten_labels.json")
    options = parser.parse_args()
    figures: dict[str, Any] = {
        "machine": machine(),
        "encoder": encoder_row(options.encoder).name,
        "draws": options.draws,
        "corpora": {},
    }
    for corpus in CORPORA:
        figures["corpora"][corpus] = corpus_figures(options.encoder, corpus, options.draws)
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))


if __name__ == "__main__":
    main()
