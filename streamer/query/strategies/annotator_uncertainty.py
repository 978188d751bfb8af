"""Uncertainty and disagreement of the annotators' own models.

AFTER (Li et al. 2024, section 5.7): each annotator has a model of their own labels; see
`learners.annotators` for the four measures.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from streamer.learners.annotators import (
    Cube,
    group_uncertainty,
    individual_uncertainty,
    least_sure,
    mixed_uncertainty,
    stacked,
    vote_variance,
)
from streamer.query.strategy import Knowledge, Ranking, Scores, by_chance
from streamer.types import Matrix, Vector

NO_ANNOTATORS: Final = "no annotator has named two emotions"


class AnnotatorUncertainty(Ranking):
    """measure: of the chances by each annotator's model, [a, n, K], to [n]."""

    pointwise = True

    def __init__(self, name: str, measure: Callable[[Cube], Vector], reason: str) -> None:
        self.name = name
        self._measure = measure
        self._reason = reason

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        chances = knowledge.annotators(features)
        if not chances:
            return by_chance(len(features), rng, NO_ANNOTATORS)
        cube = stacked([each.probabilities for each in chances])
        whom = None
        if self._measure is individual_uncertainty:  # equation 13: utterance and annotator together
            whom = [chances[at].annotator for at in least_sure(cube)]
        return Scores(self._measure(cube), self._reason, annotators=whom)


MEASURES: Final[dict[str, tuple[Callable[[Cube], Vector], str]]] = {
    "individual": (individual_uncertainty, "the least sure of the annotators' models"),
    "group": (group_uncertainty, "the annotators' models are unsure together"),
    "vote-variance": (vote_variance, "the annotators would answer differently"),
    "mixed": (mixed_uncertainty, "the annotators' models are unsure, alone and together"),
}
