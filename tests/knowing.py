"""What a strategy may ask, made up: learners taught at random, and knowledge given as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from streamer.learners.affect import AffectLearner
from streamer.learners.emotion_models import EmotionModels
from streamer.query.model_view import ModelView
from streamer.query.strategy import ClassChances, Labelled
from streamer.types import DIMENSIONS, Label, Matrix, Vector
from tests.support import made_prior

SIZE = 6
EMOTIONS = ("angry", "happy", "neutral")


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


def untaught() -> ModelView:
    return knowing(AffectLearner(made_prior(np.random.default_rng(0), SIZE)), [])


def taught(count: int = 40, annotators: Sequence[str] = ("me", "you")) -> ModelView:
    """Knows so many answers, drawn at random, all questions answered."""
    learner, rng = (
        AffectLearner(made_prior(np.random.default_rng(0), SIZE)),
        np.random.default_rng(1),
    )
    told = []
    for number in range(count):
        affect = [float(value) for value in rng.uniform(-1, 1, len(DIMENSIONS))]
        emotion = EMOTIONS[rng.integers(len(EMOTIONS))]
        label = Label(number, *affect, emotion, annotators[number % len(annotators)])
        told.append((label, rng.normal(size=SIZE)))
    return knowing(learner, told)


def one_class() -> ModelView:
    """Knows positive valence and one emotion only."""
    learner, rng = (
        AffectLearner(made_prior(np.random.default_rng(0), SIZE)),
        np.random.default_rng(2),
    )
    told = [
        (Label(number, 0.8, None, None, "happy", "me"), rng.normal(size=SIZE))
        for number in range(20)
    ]
    return knowing(learner, told)


def knowing(learner: AffectLearner, told: Sequence[tuple[Label, Vector]]) -> ModelView:
    models = EmotionModels(SIZE)
    for label, features in told:
        learner.learn(features, label, first=True)
        models.learn(features, label)
    labelled = Labelled.of(told, SIZE)
    return ModelView(
        learner, lambda: labelled, lambda: models.together, lambda: models.by_annotator
    )
