"""Uncertainty of the emotion class (Settles 2009, section 3.1)."""

from collections.abc import Callable
from typing import Final

import numpy as np

from streamer.learners.entropy import entropy, least_confidence, margin
from streamer.query.strategy import Knowledge, Ranking, Scores, by_chance
from streamer.types import Matrix, Vector

SOURCE: Final = "source-least-confidence"
NO_CLASSES: Final = "fewer than two emotions have labels"


class ClassUncertainty(Ranking):
    """One measure of the class chances, [n, K] -> [n], higher where they are less certain."""

    pointwise = True

    def __init__(self, name: str, measure: Callable[[Matrix], Vector], reason: str) -> None:
        self.name = name
        self._measure = measure
        self._reason = reason

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        chances = knowledge.classes(features)
        if chances is None:
            return by_chance(len(features), rng, NO_CLASSES)
        reason = self._reason
        if self.name == SOURCE and not chances.of_source:
            reason = "the profile's own classifier is least sure (there is no source)"
        return Scores(self._measure(chances.probabilities), reason)


# The last is CTIAL's baseline for asking about dimensions. Its formula is that of least confidence;
# what differs is whose chances `Knowledge.classes` gives: those of a classifier from another corpus
# or task, which the answers do not teach.
MEASURES: Final[dict[str, tuple[Callable[[Matrix], Vector], str]]] = {
    "entropy": (entropy, "the emotion probabilities have the highest entropy"),
    "least-confidence": (least_confidence, "the likeliest emotion has a low probability"),
    "margin": (margin, "the two likeliest emotions are nearly equally probable"),
    SOURCE: (least_confidence, "the source's classifier is least sure"),
}
