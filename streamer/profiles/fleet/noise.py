"""Noise that makes a device's statistics differentially private, by OpenDP's Gaussian mechanism.

Neighbours differ in one utterance with its answers. Contributions are clipped, blocks are scaled to
a sensitivity of 1 each, and noise of one deviation is added, in two releases of half the budget
each: moments first, so that what is centred by them is centred by noisy ones. Zero-concentrated
privacy rho composes by addition and gives epsilon = rho + 2 sqrt(rho ln(1/delta)).

The matrix of inputs would drown in noise (its sensitivity is the squared length of an embedding's
standard scores, about 256): with noise, only the offset of the answers is released, not weights.

References
----------
Dwork and Roth 2014, "The Algorithmic Foundations of Differential Privacy", section 3, appendix A.
Bun and Steinke 2016, "Concentrated Differential Privacy", propositions 1.3 and 1.6, lemma 2.3.
"""

import importlib
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from streamer.errors import StreamerError, UsageError
from streamer.learners.fleet.statistics import (
    VoiceData,
    VoiceStatistics,
    in_units,
    prototype_sums,
    usual_vector,
    voice_moments,
)
from streamer.learners.normalization import LIMIT
from streamer.learners.prior import Prior
from streamer.types import DIMENSIONS, Matrix, Vector

DELTA: Final = 1e-5
_COUNT: Final = len(DIMENSIONS)
# The length of standard units of an embedding of d values is about sqrt(d).
_LENGTHS: Final = 1.5
_LARGEST_RESIDUAL: Final = 2.0

Release = Callable[[Vector, float, float], Vector]
"""Values [n], their L2 sensitivity, the budget rho -> values with noise, [n]."""


def private_statistics(
    data: VoiceData, prior: Prior, epsilon: float, release: Release | None = None
) -> VoiceStatistics:
    """The statistics of a voice with noise: (epsilon, `DELTA`)-private for each utterance.

    release: None for OpenDP's. Raises UsageError for an epsilon that is not above 0, StreamerError
    where OpenDP is not installed.
    """
    if not (math.isfinite(epsilon) and epsilon > 0.0):
        raise UsageError(f"--epsilon {epsilon}: give a number above 0; smaller is more private")
    release = release or _opendp()
    rho = budget(epsilon) / 2.0
    size = prior.size
    units = np.clip(in_units(data.embeddings, prior), -LIMIT, LIMIT)
    units = _shortened(units, _LENGTHS * math.sqrt(size))
    vectors = _shortened(data.emotion_vectors, 1.0)
    first = _released(
        [
            (np.array([float(len(units))]), 1.0),
            (units.sum(axis=0), _LENGTHS * math.sqrt(size)),
            ((units**2).sum(axis=0), LIMIT * _LENGTHS * math.sqrt(size)),
            (vectors.sum(axis=0), 1.0),
        ],
        rho,
        release,
    )
    utterances = np.maximum(first[0], 0.0)
    squares = np.maximum(first[2], 0.0)
    mean, variance = voice_moments(float(utterances[0]), first[1], squares)
    scores = np.clip((units - mean) / np.sqrt(np.maximum(variance, 1e-2)), -LIMIT, LIMIT)
    usual = usual_vector(float(utterances[0]), first[3], prior)
    residuals = np.clip(
        data.affect - prior.expect(scores)[0], -_LARGEST_RESIDUAL, _LARGEST_RESIDUAL
    )
    answered = np.isfinite(residuals)
    residuals = np.where(answered, residuals, 0.0)
    sums, counts = prototype_sums(data, prior, usual)
    root = math.sqrt(_COUNT)
    second = _released(
        [
            (answered.sum(axis=0).astype(np.float64), root),
            (residuals.sum(axis=0), _LARGEST_RESIDUAL * root),
            ((residuals**2).sum(axis=0), _LARGEST_RESIDUAL**2 * root),
            (sums.ravel(), 1.0),
            (counts, 1.0),
        ],
        rho,
        release,
    )
    labels = np.maximum(second[0], 0.0)
    inputs = np.zeros((_COUNT, size + 1, size + 1))
    inputs[:, size, size] = labels
    targets = np.zeros((_COUNT, size + 1))
    targets[:, size] = second[1]
    return VoiceStatistics(
        utterances, first[1], squares, first[3], labels, inputs, targets,
        np.maximum(second[2], 0.0), second[3].reshape(sums.shape), np.maximum(second[4], 0.0),
    )  # fmt: skip


def budget(epsilon: float, delta: float = DELTA) -> float:
    """rho of zero-concentrated privacy that gives (epsilon, delta).

    >>> rho = budget(1.0)
    >>> round(rho + 2.0 * math.sqrt(rho * math.log(1.0 / DELTA)), 9)
    1.0
    """
    log = math.log(1.0 / delta)
    return (math.sqrt(log + epsilon) - math.sqrt(log)) ** 2


def _released(blocks: list[tuple[Vector, float]], rho: float, release: Release) -> list[Vector]:
    """Blocks of values with their L2 sensitivities, with noise in proportion to these."""
    scaled = np.concatenate([values / sensitivity for values, sensitivity in blocks])
    noisy = release(scaled, math.sqrt(len(blocks)), rho)
    ends = np.cumsum([len(values) for values, _ in blocks])[:-1]
    return [
        piece * sensitivity
        for piece, (_, sensitivity) in zip(np.split(noisy, ends), blocks, strict=True)
    ]


def _shortened(rows: Matrix, longest: float) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.minimum(1.0, longest / np.maximum(lengths, 1e-12)))


def _opendp() -> Release:
    try:
        dp: Any = importlib.import_module("opendp.prelude")
    except ModuleNotFoundError as error:
        raise StreamerError(
            f"{error.name} is not installed; --epsilon needs it: python -m pip install "
            "'streamer[privacy]'"
        ) from error
    dp.enable_features("contrib")

    def release(values: Vector, sensitivity: float, rho: float) -> Vector:
        # A little more noise than by the formula, as OpenDP rounds what is lost upwards.
        scale = sensitivity / math.sqrt(2.0 * rho) * (1.0 + 1e-9)
        space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.l2_distance(T=float)
        mechanism = dp.m.make_gaussian(*space, scale=scale)
        if mechanism.map(sensitivity) > rho * (1.0 + 1e-6):
            raise StreamerError("OpenDP's noise is less private than asked: report this")
        return np.array(mechanism(values.tolist()), np.float64)

    return release
