"""The acceptance test of a tuned encoder on held-out labels of this voice.

The newest fifth of the labelled clips is held out from all training with labels. On the embeddings
of both encoders, standardized over all clips, a ridge and a softmax regression learn the older
labels and predict the newest: CCC (mean of the rated dimensions) and UAR. The tuned encoder is
accepted where either metric is better in 90 % of 1,000 paired bootstrap samples of the held-out
clips, and the other is not worse in 90 % of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from streamer.evaluation.metrics import ccc, uar
from streamer.learners.source import fit_classes, fit_ridge
from streamer.training.tune.tuning_set import TuningClip

HELD_OUT = 0.2
FEWEST_ANSWERED = 20
SAMPLES = 1_000
SURE = 0.9
MOST_LOST = 0.01


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric before and after, and the fraction of the bootstrap samples in which it rose."""

    before: float
    after: float
    rose: float

    @property
    def better(self) -> bool:
        return self.after > self.before and self.rose >= SURE

    @property
    def worse(self) -> bool:
        return self.after < self.before and self.rose <= 1.0 - SURE


@dataclass(frozen=True, slots=True)
class Comparison:
    """ccc, uar: None where there are too few labels. corpus: UAR of the corpus named by --with."""

    held_out: int
    ccc: Figure | None
    uar: Figure | None
    corpus: Figure | None = None

    @property
    def keeps(self) -> bool:
        known = [figure for figure in (self.ccc, self.uar) if figure is not None]
        lost = self.corpus is not None and self.corpus.after < self.corpus.before - MOST_LOST
        return any(f.better for f in known) and not any(f.worse for f in known) and not lost

    def __str__(self) -> str:
        parts = [f"{self.held_out} held-out answers"]
        for name, figure in (("CCC", self.ccc), ("UAR", self.uar), ("corpus UAR", self.corpus)):
            if figure is not None:
                parts.append(
                    f"{name} {figure.before:.3f} to {figure.after:.3f} "
                    f"({figure.after - figure.before:+.3f}, better in {figure.rose:.0%})"
                )
        return ", ".join(parts)

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "keeps": self.keeps}


def held_out_count(answered: int) -> int:
    """The number of newest labelled clips that are held out."""
    return max(4, round(HELD_OUT * answered))


def judge(
    before: np.ndarray,
    after: np.ndarray,
    everyone: tuple[np.ndarray, np.ndarray],
    clips: list[TuningClip],
    rng: np.random.Generator,
) -> Comparison:
    """Compare embeddings of answered clips, oldest first: [n, d] each.

    everyone: embeddings of all clips, before and after, by which they are standardized.
    """
    held = held_out_count(len(clips))
    train, test = np.arange(len(clips) - held), np.arange(len(clips) - held, len(clips))
    rows = [
        (vectors - all_of.mean(0)) / np.maximum(all_of.std(0), 1e-6)
        for vectors, all_of in zip((before, after), everyone, strict=True)
    ]
    affect = np.array([clip.affect for clip in clips])
    names = [max(clip.emotions, key=clip.emotions.__getitem__, default="") for clip in clips]
    return Comparison(
        held,
        _dimensions(rows, affect, train, test, rng),
        _emotions(rows, names, train, test, rng),
    )


def _dimensions(
    rows: list[np.ndarray],
    affect: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    rng: np.random.Generator,
) -> Figure | None:
    said, truths = [], []
    for column in range(affect.shape[1]):
        rated = np.isfinite(affect[:, column])
        learn, judged = train[rated[train]], test[rated[test]]
        if len(learn) < 8 or len(judged) < 4 or np.ptp(affect[judged, column]) == 0.0:
            continue
        answers = affect[learn, column][:, None]
        weights = [fit_ridge(vectors[learn], answers) for vectors in rows]
        said.append(
            [(v[judged] @ w[:-1] + w[-1])[:, 0] for v, w in zip(rows, weights, strict=True)]
        )
        truths.append(affect[judged, column])
    if not said:
        return None

    def measure(which: int, draws: list[np.ndarray]) -> float:
        values = [
            ccc(pair[which][at], truth[at])
            for pair, truth, at in zip(said, truths, draws, strict=True)
        ]
        return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0

    return _figure(measure, [len(truth) for truth in truths], rng)


def _emotions(
    rows: list[np.ndarray],
    names: list[str],
    train: np.ndarray,
    test: np.ndarray,
    rng: np.random.Generator,
) -> Figure | None:
    known = sorted({names[i] for i in train if names[i]} & {names[i] for i in test if names[i]})
    if len(known) < 2:
        return None
    learn = np.array([i for i in train if names[i] in known])
    judged = np.array([i for i in test if names[i] in known])
    place = {name: k for k, name in enumerate(known)}
    truth = np.array([place[names[i]] for i in judged])
    kinds = np.array([place[names[i]] for i in learn])
    said = []
    for vectors in rows:
        weights = fit_classes(vectors[learn], kinds)
        said.append((vectors[judged] @ weights[:-1] + weights[-1]).argmax(axis=1))

    def measure(which: int, draws: list[np.ndarray]) -> float:
        return uar(said[which][draws[0]], truth[draws[0]])

    return _figure(measure, [len(truth)], rng)


def _figure(
    measure: Callable[[int, list[np.ndarray]], float], counts: list[int], rng: np.random.Generator
) -> Figure:
    everything = [np.arange(count) for count in counts]
    rose = 0.0
    for _ in range(SAMPLES):
        draws = [rng.integers(0, count, count) for count in counts]
        gain = measure(1, draws) - measure(0, draws)
        rose += 1.0 if gain > 0 else 0.5 if gain == 0 else 0.0
    return Figure(measure(0, everything), measure(1, everything), rose / SAMPLES)
