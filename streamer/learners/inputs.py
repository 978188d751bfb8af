"""From standard scores to the population's expectation and the inputs of the regressions."""

import numpy as np
from numpy.typing import NDArray

from streamer.learners.prior import Prior
from streamer.types import DIMENSIONS

_COUNT = len(DIMENSIONS)


class RegressionInputs:
    """The prior's expectation and the regression inputs of each dimension, in one matrix product.

    `features` everywhere: standard scores of embeddings, float64 [d] or [n, d]. The columns of the
    class weights and of the damped directions are one matrix, so that an utterance is read once.

    Examples
    --------
    >>> expected, inputs = RegressionInputs(Prior.uninformed(2, 2)).read(np.ones(2))
    >>> expected.shape, inputs.shape
    ((3, 2), (3, 3))
    """

    def __init__(self, prior: Prior) -> None:
        size, self._rank = prior.size, len(prior.damping)
        self.size = size + 1  # of a regression's inputs
        directions = prior.damped_directions.reshape(size, self._rank)
        classes = prior.class_weights.reshape(size, len(prior.class_intercept))
        self._projection = np.ascontiguousarray(np.hstack([directions, classes]))
        self._class_intercept = prior.class_intercept
        signs = np.where(prior.class_affect > 0.0, 1.0, -1.0)
        # Of each emotion: valence, its sign, arousal, its sign, dominance, its sign.
        effects = np.stack([prior.class_affect, signs], axis=-1).reshape(-1, 2 * _COUNT)
        self._effects = np.hstack([effects, np.ones((len(effects), 1))])  # the last: their sum
        self._damped = np.ascontiguousarray((directions * prior.damping).T)
        self._weight_scale = np.sqrt(prior.weight_variance / size)[:, np.newaxis, np.newaxis]
        self._offset_scale = np.sqrt(prior.offset_variance)[:, np.newaxis]
        linear = prior.weights.any() or prior.intercept.any()
        self._linear = (prior.weights, prior.intercept) if linear else None

    def read(
        self, features: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each dimension the expected label and sign, and the inputs of its regression.

        [3, 2] and [3, d + 1] for [d]; [3, n, 2] and [3, n, d + 1] for [n, d].
        """
        rows = features if features.ndim == 2 else features[np.newaxis]
        along = rows @ self._projection
        expected = self._of_emotions(along[:, self._rank :]).transpose(1, 0, 2)
        if self._linear is not None:
            weights, intercept = self._linear
            expected = expected + (rows @ weights + intercept).T[:, :, np.newaxis]
        inputs = np.empty((_COUNT, len(rows), rows.shape[1] + 1))
        damped = rows - along[:, : self._rank] @ self._damped
        np.multiply(damped, self._weight_scale, out=inputs[:, :, :-1])
        inputs[:, :, -1] = self._offset_scale
        return (expected, inputs) if features.ndim == 2 else (expected[:, 0], inputs[:, 0])

    def _of_emotions(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of the emotions' labels and signs by a softmax of [n, K], [n, 3, 2]."""
        if not len(self._class_intercept):
            return np.zeros((len(outputs), _COUNT, 2))
        outputs = outputs + self._class_intercept
        outputs -= np.maximum.reduce(outputs, axis=1, keepdims=True)
        sums = np.exp(outputs, out=outputs) @ self._effects
        return np.asarray(sums[:, :-1] / sums[:, -1:]).reshape(-1, _COUNT, 2)
