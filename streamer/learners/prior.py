"""What an encoder knows of a voice before it has heard it."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streamer.types import DIMENSIONS, Vector

UNINFORMED_NOISE = 0.5


@dataclass(frozen=True, slots=True)
class Prior:
    """Population statistics of an encoder's outputs, and a ridge from embedding to affect.

    embedding_mean, embedding_deviation: [d]. emotion_mean: [e].
    weights: [d, 3] and intercept: [3] give valence, arousal, dominance in [-1, 1] from standard
    scores of the embedding; noise: [3] is the standard deviation of what they leave unexplained.
    """

    embedding_mean: Vector
    embedding_deviation: Vector
    emotion_mean: Vector
    weights: NDArray[np.float64]
    intercept: Vector
    noise: Vector

    @classmethod
    def uninformed(cls, embedding_size: int, emotion_size: int) -> Self:
        """For an encoder without statistics: predicts 0 on every dimension, widely."""
        dimensions = len(DIMENSIONS)
        return cls(
            embedding_mean=np.zeros(embedding_size),
            embedding_deviation=np.ones(embedding_size),
            emotion_mean=np.zeros(emotion_size),
            weights=np.zeros((embedding_size, dimensions)),
            intercept=np.zeros(dimensions),
            noise=np.full(dimensions, UNINFORMED_NOISE),
        )

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
