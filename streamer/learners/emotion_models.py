"""Emotion classifiers: one of all annotators' labels, and one per annotator."""

from typing import Final

from streamer.learners.logistic import OnlineLogistic
from streamer.types import Label, Vector

# The penalty for a length of 1 in inputs that are standard scores over the root of their number:
# as strong as the affect learner's prior.
PENALTY: Final = 0.2


class EmotionModels:
    """features: float64 [size], standard scores. Labels without an emotion are skipped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.together = self._model()
        self.by_annotator: dict[str, OnlineLogistic] = {}

    def learn(self, features: Vector, label: Label) -> None:
        if label.emotion is None:
            return
        self.together.learn(features, label.emotion)
        own = self.by_annotator.setdefault(label.annotator, self._model())
        own.learn(features, label.emotion)

    def _model(self) -> OnlineLogistic:
        return OnlineLogistic(self._size, PENALTY * self._size)
