"""What a query strategy may ask, made up: learners that were taught at random."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from streamer.learners.affect import AffectLearner
from streamer.learners.emotion_models import EmotionModels
from streamer.learners.prior import Prior
from streamer.query.model_view import ModelView
from streamer.query.strategy import Labelled
from streamer.types import DIMENSIONS, Label, Vector

SIZE: Final = 6
EMOTIONS: Final = ("angry", "happy", "neutral")


def untaught() -> ModelView:
    """Knows nothing."""
    return knowing(AffectLearner(_prior()), [])


def taught(count: int = 40, annotators: Sequence[str] = ("me", "you")) -> ModelView:
    """Knows so many answers, drawn at random, all questions answered."""
    rng = np.random.default_rng(1)
    lessons = []
    for number in range(count):
        valence, arousal, dominance = (float(value) for value in rng.uniform(-1, 1, 3))
        emotion = EMOTIONS[rng.integers(len(EMOTIONS))]
        annotator = annotators[number % len(annotators)]
        label = Label(number, valence, arousal, dominance, emotion, annotator)
        lessons.append((label, rng.normal(size=SIZE)))
    return knowing(AffectLearner(_prior()), lessons)


def one_class() -> ModelView:
    """Knows positive valence and one emotion only."""
    rng = np.random.default_rng(2)
    lessons = [
        (Label(number, 0.8, None, None, "happy", "me"), rng.normal(size=SIZE))
        for number in range(20)
    ]
    return knowing(AffectLearner(_prior()), lessons)


def knowing(learner: AffectLearner, lessons: Sequence[tuple[Label, Vector]]) -> ModelView:
    """What a learner knows once it has learned these lessons, features [SIZE] each."""
    models = EmotionModels(SIZE)
    for label, features in lessons:
        learner.learn(features, label, first=True)
        models.learn(features, label)
    labelled = Labelled.of(lessons, SIZE)
    return ModelView(
        learner, lambda: labelled, lambda: models.together, lambda: models.by_annotator
    )


def _prior() -> Prior:
    """One that expects something of every utterance."""
    weights = np.random.default_rng(0).normal(size=(SIZE, len(DIMENSIONS))) / 5
    return replace(Prior.uninformed(SIZE, SIZE), weights=weights)
