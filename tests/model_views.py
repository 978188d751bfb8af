"""What a strategy may ask, made up: learners taught at random, and knowledge given as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from streamer.query.strategy import ClassChances, Labelled
from streamer.testing.knowledge import SIZE, knowing, one_class, taught, untaught
from streamer.types import Matrix, Vector

__all__ = ["SIZE", "Given", "knowing", "one_class", "taught", "untaught"]


@dataclass
class Given:
    """Knowledge as given, whatever the features; what is not given is None."""

    predicted: Matrix = field(default_factory=lambda: np.zeros((0, 3)))
    answers: Labelled | None = None
    chances: ClassChances | None = None
    by_annotator: Sequence[ClassChances] | None = None
    doubt: dict[str, Matrix] = field(default_factory=dict)
    deviation: Matrix | None = None

    def means(self, features: Matrix) -> Matrix:
        return self.predicted

    def deviations(self, features: Matrix) -> Matrix | None:
        return self.deviation

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None:
        return self.doubt.get(dimension)

    def confidence(self, dimension: str, features: Matrix) -> Vector | None:
        return None

    def lacks(self, dimension: str) -> str:
        return f"too few positive {dimension} labels"

    def classes(self, features: Matrix) -> ClassChances | None:
        return self.chances

    def annotators(self, features: Matrix) -> Sequence[ClassChances] | None:
        return self.by_annotator

    def labelled(self) -> Labelled:
        return self.answers or Labelled.of([], 2)
