"""Fit the map from one encoder's vectors to another's, for profiles that change their encoder.

    python -m streamer.training.export.vector_map --speech SPEECH --models models --from A --to B

Both embed the labelled corpora of SPEECH (`export.voices.embedded`, cached in --cache). Ridge
regression of B's embedding and emotion vector on A's; its strength is the one with the least error
on voices left out, and the errors that are stored are those on voices left out as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import numpy as np

from streamer.encoders.vector_map import VectorMap, file_name, with_one, write_map
from streamer.training.export.voices import LABELLED, embedded, row_of
from streamer.types import Matrix

STRENGTHS: Final = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
FOLDS: Final = 5


def fit_map(
    source: tuple[str, Matrix, Matrix],
    target: tuple[str, Matrix, Matrix],
    voices: Sequence[str],
    strengths: Sequence[float] = STRENGTHS,
) -> VectorMap:
    """The map between two tables of the same n clips.

    Parameters
    ----------
    source, target
        sha256, embeddings [n, d] and emotion vectors [n, e] of the two encoders.
    voices
        Whose each clip is, [n]; at least two.
    strengths
        Of the ridge, in mean variances of an input; the best of them is taken.

    Returns
    -------
    VectorMap
        Fitted on all clips; `explained` and `cosine` are from voices left out.
    """
    inputs, size = with_one(np.hstack(source[1:])), target[1].shape[1]
    outputs = np.hstack(target[1:]).astype(np.float64)
    names = np.unique(voices)
    fold_of = dict(zip(names, np.arange(len(names)) % min(FOLDS, len(names)), strict=True))
    folds = np.array([fold_of[voice] for voice in voices])
    scores = []
    for strength in strengths:
        found = np.empty_like(outputs)
        for fold in np.unique(folds):
            weights = _ridge(inputs[folds != fold], outputs[folds != fold], strength)
            found[folds == fold] = inputs[folds == fold] @ weights
        scores.append(_held_out(found, outputs, size))
    best = int(np.argmax([sum(score) for score in scores]))
    weights = _ridge(inputs, outputs, strengths[best])
    return VectorMap(source[0], target[0], weights, size, *scores[best])


def _ridge(inputs: Matrix, outputs: Matrix, strength: float) -> Matrix:
    """Weights [d, k]; the last column of the inputs is the intercept, which is not shrunk."""
    centre, middle = inputs[:, :-1].mean(axis=0), outputs.mean(axis=0)
    apart = inputs[:, :-1] - centre
    gram = apart.T @ apart
    gram += strength * np.trace(gram) / len(gram) * np.eye(len(gram))
    slope = np.linalg.solve(gram, apart.T @ (outputs - middle))
    return np.vstack([slope, middle - centre @ slope])


def _held_out(found: Matrix, truth: Matrix, size: int) -> tuple[float, float]:
    """Explained variance of the embedding, and mean cosine of the emotion vectors."""
    wrong = found[:, :size] - truth[:, :size]
    explained = 1.0 - (wrong**2).sum() / ((truth[:, :size] - truth[:, :size].mean(0)) ** 2).sum()
    a, b = found[:, size:], truth[:, size:]
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(explained), float(np.mean((a * b).sum(axis=1) / np.maximum(lengths, 1e-12)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-voices")
    parser.add_argument("--corpora", nargs="+", default=LABELLED)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    tables = []
    voices: list[str] = []
    for name in (options.source, options.target):
        row = row_of(options.models, name)
        cache = options.cache / f"{name}.npz"
        clips, embeddings, emotions = embedded(row, options.speech, cache, options.corpora)
        tables.append((row.sha256, embeddings, emotions))
        voices = [f"{clip.corpus}/{clip.speaker}" for clip in clips]
    source, target = tables
    found = fit_map(source, target, voices)
    path = options.models / file_name(found.source, found.target)
    write_map(path, found)
    print(
        f"{path}: {len(voices)} clips of {len(set(voices))} voices; on voices left out "
        f"{found.explained:.3f} of the embedding's variance is explained, the emotion vectors' "
        f"mean cosine is {found.cosine:.3f}"
    )


if __name__ == "__main__":
    main()
