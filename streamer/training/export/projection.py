"""The two fixed maps at the end of the graph, in closed form from raw vectors.

``embedding``: raw dimensions are standardized over clips, rotated to their principal axes, scaled
by lambda^(-power) (0.5 is full whitening), and rotated randomly, so that every dimension has about
unit variance and a regressor that standardizes each dimension does not change the scaling of the
axes. So far without labels. Emphasis then scales up the directions in which the emotions of
labelled corpora differ within a voice, as linear discriminant analysis would, but keeps all others:
a penalized learner with few labels then finds emotions sooner.

``emotion`` is made of the blocks' means only, with every training speaker's mean subtracted, so
that speaker identity matters less in a cosine. Without labels it keeps the principal directions of
the rest. With labels, the variance within an emotion of a speaker (mostly linguistic) is reduced
first: within-class covariance normalization (Hatch, Kajarekar and Stolcke 2006), shrunk towards the
identity, for unseen corpora.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Affine:
    """x -> x @ matrix + offset; matrix [in, out], offset [out]."""

    matrix: np.ndarray
    offset: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        return vectors @ self.matrix + self.offset


def fit_embedding(
    raw: np.ndarray, weights: np.ndarray, size: int, power: float, rng: np.random.Generator
) -> Affine:
    """Raw vectors [clips, n], clip weights [clips] -> the map to [clips, size]."""
    share = weights / weights.sum()
    mean = share @ raw
    deviation = np.sqrt(share @ (raw - mean) ** 2) + 1e-6
    standard = (raw - mean) / deviation
    values, axes = np.linalg.eigh((standard * share[:, None]).T @ standard)
    values, axes = values[::-1][:size], axes[:, ::-1][:, :size]
    scale = values**-power
    scale /= np.sqrt(np.mean(values * scale**2))
    rotation, _ = np.linalg.qr(rng.standard_normal((size, size)))
    matrix = (axes * scale) @ rotation / deviation[:, None]
    projected = raw @ matrix
    offset = -(share @ projected)
    matrix = matrix / np.sqrt(share @ (projected + offset) ** 2)
    return Affine(matrix.astype(np.float32), (-(share @ (raw @ matrix))).astype(np.float32))


def emotion_gain(
    scores: np.ndarray, emotions: np.ndarray, corpora: np.ndarray, strength: float, rank: int = 24
) -> np.ndarray:
    """The symmetric matrix [d, d] that scales up the directions between emotions.

    I + strength sum_i sqrt(l_i / l_1) u_i u_i', with u_i, l_i the first ``rank`` eigenvectors and
    eigenvalues of the covariance of a corpus's mean vectors of its emotions, averaged over corpora
    by the root of their clips. scores: [clips, d], standardized by voice.
    """
    size = scores.shape[1]
    between = np.zeros((size, size))
    for corpus in np.unique(corpora):
        own = corpora == corpus
        means = np.array([scores[own & (emotions == e)].mean(axis=0) for e in set(emotions[own])])
        apart = means - means.mean(axis=0)
        between += np.sqrt(own.sum()) * apart.T @ apart / len(means)
    values, axes = np.linalg.eigh(between)
    values, axes = values[::-1][:rank], axes[:, ::-1][:, :rank]
    gains = strength * np.sqrt(np.maximum(values, 0.0) / values[0])
    return np.asarray(np.eye(size) + (axes * gains) @ axes.T)


def emphasized(
    embedding: Affine,
    gain: np.ndarray,
    raw: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
) -> Affine:
    """The embedding, then ``gain``, rotated randomly, every dimension with variance 1 again."""
    rotation, _ = np.linalg.qr(rng.standard_normal(gain.shape))
    share = weights / weights.sum()
    matrix = embedding.matrix @ gain @ rotation
    centred = raw @ matrix
    centred -= share @ centred
    matrix = matrix / np.sqrt(share @ centred**2)
    return Affine(matrix.astype(np.float32), (-(share @ (raw @ matrix))).astype(np.float32))


def fit_emotion(means: np.ndarray, speakers: np.ndarray, weights: np.ndarray, size: int) -> Affine:
    """Blocks' means [clips, n], their speakers and weights -> the map to [clips, size].

    Uses no emotion labels, so that every emotion is unseen. Normalization to unit length follows
    it.
    """
    standard, start = _standardized(means, weights)
    return _then(start, _principal(_centred(standard, speakers), weights, size))


def fit_within(
    means: np.ndarray,
    speakers: np.ndarray,
    emotions: np.ndarray,
    weights: np.ndarray,
    size: int,
    shrinkage: float,
) -> Affine:
    """As fit_emotion, with within-class covariance normalization by speaker and emotion.

    On the 2 * size principal directions x, with S the covariance of x around the mean of its
    speaker's emotion:  x (I s r + S (1 - r))^(-1/2), s the mean of S's diagonal, r the shrinkage
    (1: as without labels). The principal directions of the result follow.
    """
    standard, start = _standardized(means, weights)
    start = _then(start, _principal(_centred(standard, speakers), weights, 2 * size))
    reduced = start(means)
    cells = np.array([f"{s}|{e}" for s, e in zip(speakers, emotions, strict=True)])
    values, axes = np.linalg.eigh(_covariance(_centred(reduced, cells), weights))
    shrunk = (1.0 - shrinkage) * values + shrinkage * values.mean()
    quieter = axes * shrunk**-0.5
    start = _then(start, quieter)
    return _then(start, _principal(_centred(reduced @ quieter, speakers), weights, size))


def _standardized(vectors: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, Affine]:
    """Vectors of mean 0 and variance 1 in every dimension, and the map to them."""
    share = (weights / weights.sum()).astype(np.float32)
    mean = share @ vectors
    standard = vectors - mean
    deviation = np.sqrt(share @ standard**2) + 1e-6
    standard /= deviation
    return standard, Affine(np.diag(1.0 / deviation), -mean / deviation)


def _centred(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Subtract each group's own mean."""
    _, number, counts = np.unique(groups, return_inverse=True, return_counts=True)
    total = np.add.reduceat(
        vectors[np.argsort(number, kind="stable")], np.cumsum(counts) - counts, axis=0
    )
    return vectors - (total / counts[:, None]).astype(vectors.dtype)[number]


def _covariance(centred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    share = np.sqrt(weights / weights.sum()).astype(centred.dtype)[:, None]
    weighted = centred * share
    return np.asarray(weighted.T @ weighted, np.float64)


def _principal(centred: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """The ``size`` principal directions, largest variance first: [n, size]."""
    _, axes = np.linalg.eigh(_covariance(centred, weights))
    return np.asarray(axes[:, ::-1][:, :size])


def _then(first: Affine, matrix: np.ndarray) -> Affine:
    combined = first.matrix @ matrix, first.offset @ matrix
    return Affine(*(part.astype(np.float32) for part in combined))
