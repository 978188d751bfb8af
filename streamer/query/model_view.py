"""The view of the model that strategies query, built from the available parts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from streamer.query.strategy import ClassChances, Labelled
from streamer.types import Matrix, Vector


class Estimators(Protocol):
    """The interface of `AffectLearner` that strategies use; inputs [n, d]."""

    def means(self, features: Matrix) -> Matrix: ...

    def deviations(self, features: Matrix) -> Matrix | None: ...

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None: ...

    def confidence(self, dimension: str, features: Matrix) -> Vector | None: ...

    def lacks(self, dimension: str) -> str: ...


class Classifier(Protocol):
    """classes: names in the order of the columns of `probabilities`, [n, K] for [n, d]."""

    @property
    def classes(self) -> Sequence[str]: ...

    def probabilities(self, features: Matrix) -> Matrix: ...


class ModelView:
    """The `Knowledge` of an affect learner, and of classifiers and labels where available.

    labelled, classifier, annotators: called only by the strategies that use them. annotators: each
    one's own classifier, by name. of_source: the classifier belongs to another corpus or task and
    is not updated by the labels here.
    """

    def __init__(
        self,
        estimators: Estimators,
        labelled: Callable[[], Labelled],
        classifier: Callable[[], Classifier | None] = lambda: None,
        annotators: Callable[[], Mapping[str, Classifier]] = dict,
        *,
        of_source: bool = False,
    ) -> None:
        self._of_source = of_source
        self._labelled = labelled
        self._classifier = classifier
        self._annotators = annotators
        self.means = estimators.means
        self.deviations = estimators.deviations
        self.covariance = estimators.covariance
        self.confidence = estimators.confidence
        self.lacks = estimators.lacks

    def labelled(self) -> Labelled:
        return self._labelled()

    def classes(self, features: Matrix) -> ClassChances | None:
        classifier = self._classifier()
        if classifier is None or len(classifier.classes) < 2:
            return None
        chances, names = classifier.probabilities(features), tuple(classifier.classes)
        return ClassChances(chances, names, of_source=self._of_source)

    def annotators(self, features: Matrix) -> Sequence[ClassChances] | None:
        """Over the union of the annotators' classes; 0 for a class that an annotator never used."""
        models = self._annotators()
        able = {who: model for who, model in models.items() if model.classes}
        names = sorted({name for model in able.values() for name in model.classes})
        if len(names) < 2:
            return None
        chances = []
        for who, model in able.items():
            spread = np.zeros((len(features), len(names)))
            columns = [names.index(name) for name in model.classes]
            spread[:, columns] = model.probabilities(features)
            chances.append(ClassChances(spread, tuple(names), annotator=who))
        return chances
