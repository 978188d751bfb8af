"""Simulated devices: one voice each, whose answers differ from the prior's expectation alike."""

import numpy as np

from streamer.learners.fleet.statistics import VoiceData, standard_scores
from streamer.learners.prior import Prior

EMOTIONS = ("anger", "joy", "sad", "Tante Berta")


def made_voice(
    seed: int, prior: Prior, correction: np.ndarray, count: int = 60, labels: int = 30
) -> VoiceData:
    """A voice with an offset of its own; the first `labels` utterances are answered and named."""
    rng = np.random.default_rng(seed)
    size, emotion_size = prior.size, len(prior.emotion_mean)
    embeddings = prior.embedding_mean + rng.normal(size=size) + rng.normal(size=(count, size))
    kinds = rng.integers(0, len(EMOTIONS), count)
    centres = np.random.default_rng(99).normal(size=(len(EMOTIONS), emotion_size))
    vectors = centres[kinds] + 0.3 * rng.normal(size=(count, emotion_size))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings, vectors = (rows.astype(np.float32).astype(float) for rows in (embeddings, vectors))
    expected = prior.expect(standard_scores(embeddings, prior))[0]
    damped = prior.damped(standard_scores(embeddings, prior))
    affect = expected + damped @ correction[:-1] + correction[-1] + 0.05 * rng.normal(size=3)
    affect = np.clip(affect + 0.05 * rng.normal(size=affect.shape), -1.0, 1.0)
    affect[labels:] = np.nan
    named = [EMOTIONS[k] if i < labels else None for i, k in enumerate(kinds)]
    return VoiceData(embeddings, vectors, affect, named, {})
