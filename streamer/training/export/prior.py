"""Sense before the first label: ridge weights from the embedding to valence, arousal, dominance.

Each emotion word stands for its affective norm. Vectors are standardized for each speaker first,
as the running product does for each profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.learners.affective_norms import affective_norm
from streamer.training.data.speech import Clip
from streamer.training.export.probe import concordance, standardize_speakers
from streamer.types import DIMENSIONS

LEVELS_ONLY = frozenset({"baved"})


@dataclass(frozen=True, slots=True)
class Prior:
    """weights [d, 3], intercept [3] on standardized vectors; noise_std [3] on unheard speakers."""

    weights: np.ndarray
    intercept: np.ndarray
    noise_std: np.ndarray

    def __call__(self, standardized: np.ndarray) -> np.ndarray:
        return standardized @ self.weights + self.intercept


def usable(clips: Sequence[Clip]) -> np.ndarray:
    """Clips with a norm, of speakers heard in two emotions or more: bool [clips].

    Corpora whose labels are levels, not emotions, are left out.
    """
    heard: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        heard.setdefault((clip.corpus, clip.speaker), set()).add(clip.emotion)
    return np.array(
        [
            affective_norm(c.emotion) is not None
            and c.corpus not in LEVELS_ONLY
            and len(heard[c.corpus, c.speaker]) > 1
            for c in clips
        ]
    )


def norms(clips: Sequence[Clip]) -> np.ndarray:
    """float64 [clips, 3] in [-1, 1]."""
    return np.array([affective_norm(c.emotion) for c in clips], np.float64)


def corpus_weights(clips: Sequence[Clip]) -> np.ndarray:
    """Weights that make corpora count by the square root of their clips: mean 1."""
    corpora = np.array([c.corpus for c in clips])
    names, counts = np.unique(corpora, return_counts=True)
    weights = 1.0 / np.sqrt(counts[np.searchsorted(names, corpora)])
    return weights / weights.mean()


def balanced_weights(clips: Sequence[Clip]) -> np.ndarray:
    """As corpus_weights, and within a corpus every emotion weighs the same: mean 1."""
    weights = corpus_weights(clips)
    kinds = np.array([f"{c.corpus}/{c.emotion}" for c in clips])
    corpora = np.array([c.corpus for c in clips])
    for kind in np.unique(kinds):
        own = kinds == kind
        weights[own] *= np.mean(corpora == corpora[own][0]) / np.mean(own)
    return weights / weights.mean()


def ridge(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Minimize mean_i w_i |y_i - x_i W - b|^2 + penalty |W|^2 (w of mean 1): W [d, k], b [k]."""
    share = weights / weights.sum()
    x_mean, y_mean = share @ x, share @ y
    centred = (x - x_mean) * share[:, None]
    gram = centred.T @ (x - x_mean) + penalty * np.eye(x.shape[1])
    solution = np.linalg.solve(gram, centred.T @ (y - y_mean))
    return solution, y_mean - x_mean @ solution


def fit_prior(vectors: np.ndarray, clips: Sequence[Clip], penalty: float, folds: int = 5) -> Prior:
    """Fit on all usable clips; then widen by what folds that leave speakers out show.

    Ridge shrinks: on voices it has not heard its answers vary less than the norms do, which costs
    concordance. The weights are multiplied by the ratio of the two deviations, for each dimension.
    """
    kept = usable(clips)
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    x, y, weights = standardize_speakers(vectors[kept], rows), norms(rows), balanced_weights(rows)
    share = weights / weights.sum()
    speakers = sorted({(c.corpus, c.speaker) for c in rows})
    fold = np.array([speakers.index((c.corpus, c.speaker)) % folds for c in rows])
    answer = np.empty_like(y)
    for held in range(folds):
        train, test = fold != held, fold == held
        solution, intercept = ridge(x[train], y[train], weights[train], penalty)
        answer[test] = x[test] @ solution + intercept
    centre = share @ y
    spread = np.sqrt(share @ (y - centre) ** 2) / np.sqrt(share @ (answer - share @ answer) ** 2)
    noise = np.sqrt(share @ (y - centre - spread * (answer - share @ answer)) ** 2)
    solution, intercept = ridge(x, y, weights, penalty)
    intercept = centre + spread * (intercept - centre)
    return Prior(*(part.astype(np.float32) for part in (solution * spread, intercept, noise)))


def cold_concordance(
    vectors: np.ndarray, clips: Sequence[Clip], held_out: str, penalty: float
) -> dict[str, float]:
    """CCC against the norms on one corpus, the prior fitted on all the others."""
    corpora = np.array([c.corpus for c in clips])
    other = corpora != held_out
    prior = fit_prior(vectors[other], [c for c, o in zip(clips, other, strict=True) if o], penalty)
    kept = ~other & usable(clips)
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    answer, truth = prior(standardize_speakers(vectors[kept], rows)), norms(rows)
    return {name: concordance(truth[:, i], answer[:, i]) for i, name in enumerate(DIMENSIONS)}
