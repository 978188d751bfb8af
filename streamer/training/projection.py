"""The two fixed maps at the end of the graph, in closed form from raw vectors.

``embedding`` is label-free: raw dimensions are standardized over clips, turned to their principal
axes, scaled by lambda^(-power) (0.5 is full whitening), and turned once more by a random rotation,
so that every dimension has about unit variance and a regressor that standardizes each dimension
leaves the scaling of the axes as it is.

``emotion`` keeps the principal directions of what is left when every speaker's own mean is taken
out of the embedding, so that voices weigh less in a cosine. It needs no emotion labels either, so
every emotion is an unseen one to it.
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


def fit_emotion(
    vectors: np.ndarray, speakers: np.ndarray, weights: np.ndarray, size: int
) -> Affine:
    """Embeddings, their speakers and weights -> the map to [clips, size], before unit length."""
    share = weights / weights.sum()
    mean = share @ vectors
    centred = vectors - mean
    for name in np.unique(speakers):
        centred[speakers == name] -= centred[speakers == name].mean(0)
    _, axes = np.linalg.eigh((centred * share[:, None]).T @ centred)
    matrix = axes[:, ::-1][:, :size]
    return Affine(matrix.astype(np.float32), (-(mean @ matrix)).astype(np.float32))
