"""The learner of an evaluation: the one of `run`, trained on the labels of a corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streamer.errors import UsageError
from streamer.evaluation.corpus import Indices
from streamer.evaluation.dataset import Dataset
from streamer.learners.affect import AffectLearner, MakeRegression
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.plugged import BAYESIAN, make_regression
from streamer.learners.prior import Prior
from streamer.learners.tuned import TunedRegression
from streamer.learners.variance_matching import spread_gain, widened
from streamer.query.model_view import Classifier, ModelView
from streamer.query.strategy import Labelled
from streamer.system import is_import_path
from streamer.types import DIMENSIONS, Label, Matrix, Vector

EVERYTHING: Final = (*DIMENSIONS, "emotion")


# What `streamer evaluate --learner` takes beside the names and import paths of `learners.plugged`.
# plain: the product's, started from no prior;
# squashed: scores z enter as 2 tanh(z/2), so that outliers do not lead the regression; tuned: the
# strength of the prior is chosen by its evidence.
LEARNERS: Final = ("plain", "squashed", "tuned")
# For each feature, since the squared length of standard scores is their number. On IEMOCAP 0.1 to
# 1 do equally well after 200 labels; without it (0.02) 20 labels are overfitted.
EMOTION_PENALTY: Final = 0.3


@dataclass(slots=True)
class ArrivalPredictions:
    """The prediction for each utterance when it arrived: utterances [m], means [m, 3]."""

    utterances: list[int] = field(default_factory=list)
    means: list[Vector] = field(default_factory=list)


class EvaluatedLearner:
    """A `ProtocolLearner`: the profile's affect learner and an emotion classifier.

    It starts from the uninformed prior, since the shipped prior may have been fitted to the corpus.
    targets: which labels are learned, of `EVERYTHING`.
    """

    def __init__(
        self,
        dataset: Dataset,
        learner: str = "plain",
        targets: Sequence[str] = EVERYTHING,
    ) -> None:
        self._dataset = dataset
        self._taught = frozenset(targets)
        self.features: Matrix = (
            2.0 * np.tanh(dataset.features / 2.0) if learner == "squashed" else dataset.features
        )
        size = self.features.shape[1]
        self.affect = AffectLearner(Prior.uninformed(size, 1), _regression(learner))
        self.classifier = (
            OnlineLogistic(size, EMOTION_PENALTY * size) if "emotion" in self._taught else None
        )
        self.arrivals = ArrivalPredictions()
        self._learned: list[tuple[Label, Vector]] = []
        self.knowledge = ModelView(self.affect, self.labelled, self._classifier)

    def learn(self, utterance: int) -> None:
        """Learn the corpus's labels of the targets."""
        row = self.features[utterance]
        emotion = self._dataset.emotions[utterance]
        label = Label(
            utterance=utterance,
            **{name: self._answer(utterance, name) for name in DIMENSIONS},
            emotion=None if self.classifier is None else emotion,
            annotator="corpus",
        )
        self.affect.learn(row, label, first=True)
        if self.classifier is not None and label.emotion is not None:
            self.classifier.learn(row, label.emotion)
        self._learned.append((label, row))

    def record_predictions(self, utterances: Sequence[int]) -> None:
        """Record the predictions for utterances as they arrive."""
        if utterances:
            self.arrivals.utterances.extend(utterances)
            self.arrivals.means.extend(self.affect.means(self.features[list(utterances)]))

    def means(self, utterances: Sequence[int] | Indices) -> Matrix:
        """Valence, arousal, dominance of [n] utterances, [n, 3] in [-1, 1]."""
        return np.asarray(np.clip(self.affect.means(self.features[utterances]), -1.0, 1.0))

    def widened(
        self, utterances: Sequence[int] | Indices, usual: Sequence[int] | Indices, dimension: str
    ) -> Vector:
        """One dimension of [n] utterances, with the variance of its labels, [n].

        See `learners.variance_matching`.

        usual: all utterances so far, labelled or not.
        """
        column = DIMENSIONS.index(dimension)
        seen = self.affect.middles(self.features[usual])[:, column]
        gain = spread_gain(seen, self.affect.noise(dimension) ** 2)
        means = self.affect.middles(self.features[utterances])[:, column]
        return widened(means, float(seen.mean()), gain)

    def emotions(self, utterances: Sequence[int] | Indices) -> list[str]:
        """The most probable emotion of each; empty before the first label."""
        if self.classifier is None or not self.classifier.classes:
            return []
        chances = self.classifier.probabilities(self.features[utterances])
        return [self.classifier.classes[k] for k in chances.argmax(axis=1)]

    def _answer(self, utterance: int, name: str) -> float | None:
        value = self._dataset.affect[utterance, DIMENSIONS.index(name)]
        return float(value) if name in self._taught and np.isfinite(value) else None

    def labelled(self) -> Labelled:
        return Labelled.of(self._learned, self.features.shape[1])

    def _classifier(self) -> Classifier | None:
        return self.classifier


def check_learner(name: str) -> None:
    """Raises UsageError for an unknown learner."""
    _regression(name)


def _regression(learner: str) -> MakeRegression:
    if learner == "tuned":
        return TunedRegression
    if learner not in LEARNERS and not is_import_path(learner):
        choices = ", ".join(LEARNERS)
        raise UsageError(
            f"no learner {learner!r}; choose one of: {choices}, river:module.Class, or one of your "
            "own as package.module:Class"
        )
    return make_regression(BAYESIAN if learner in LEARNERS else learner)
