"""MTiGS on the predictions of a source, for candidates and labelled utterances.

The baseline of Xu, Jiang and Wu (2024, CTIAL, section 4.1) for asking about emotions: equation 10
needs dimensions, and the target has none, so that the source's predictions stand for them on both
sides.
"""

from collections.abc import Sequence

import numpy as np

from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategies.greedy_sampling import Nearness, all_tasks
from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge, Labelled
from streamer.types import DIMENSIONS, Matrix


class SourceSampling(Greedy):
    """MTiGS where answers are predictions of `Knowledge.means`, given with a source by it."""

    name = "source-mtigs"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Steps:
        near = Nearness(features, _Predicted(knowledge), self._dimensions, all_tasks)
        spread = "spread over the buffer (no labels yet)"
        reason = "far from all that is answered, by predicted dimensions"
        return Steps(near.values, reason if near.answered else spread, near.take)


class _Predicted:
    """A view in which what was answered are the predictions."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.means = knowledge.means
        self.deviations = knowledge.deviations
        self.covariance = knowledge.covariance
        self.confidence = knowledge.confidence
        self.lacks = knowledge.lacks
        self.classes = knowledge.classes
        self.annotators = knowledge.annotators

    def labelled(self) -> Labelled:
        labelled = self._knowledge.labelled()
        answers = np.full((len(labelled.features), len(DIMENSIONS)), np.nan)
        if len(answers):
            answers = self._knowledge.means(labelled.features)
        return Labelled(labelled.features, answers, labelled.emotions)
