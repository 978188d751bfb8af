"""CTiGS: greedy sampling within each emotion, a baseline of CTIAL (Xu, Jiang and Wu 2024).

As MTiGS, but a candidate is compared only with the labelled utterances of the same predicted class;
with all of them where there are none of that class.
"""

from collections.abc import Sequence

import numpy as np

from streamer.query.strategies.class_uncertainty import NO_CLASSES
from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategies.greedy_sampling import Classes, Nearness, all_tasks
from streamer.query.strategy import ASKED_DIMENSIONS, Knowledge, Scores, by_chance
from streamer.types import Matrix


class WithinClassSampling(Greedy):
    """See the module."""

    name = "ctigs"

    def __init__(self, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)

    def begin(
        self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator
    ) -> Steps | Scores:
        if knowledge.classes(features) is None:
            return by_chance(len(features), rng, NO_CLASSES)

        def named(places: Matrix) -> Classes:
            chances = knowledge.classes(places)
            if chances is None:
                return np.zeros(len(places), np.intp)
            return np.asarray(chances.probabilities.argmax(axis=1))

        near = Nearness(features, knowledge, self._dimensions, all_tasks, named)
        return Steps(near.values, "far from all answered ones of its emotion", near.take)
