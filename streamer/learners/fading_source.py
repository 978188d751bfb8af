"""Class probabilities of a source whose weight falls with the target's own labels."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from streamer.learners.source import SourceModel
from streamer.types import Matrix, Vector

# A source's chances weigh as many named answers as this.
SOURCE_LABELS: Final = 20.0
# Before so many named answers, whether a source beats the majority is a matter of chance.
FEWEST_ANSWERS: Final = 10


class OwnClassifier(Protocol):
    """What `OnlineLogistic` offers."""

    @property
    def classes(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def probabilities(self, features: Matrix) -> Matrix: ...


class FadingClassifier:
    """(k p_source + n p_own) / (k + n), over the names of both; n own answers, k = 20.

    It predicts emotions before the first label, and tends to the profile's own classifier.
    """

    def __init__(self, source: SourceModel, own: OwnClassifier) -> None:
        self._source, self._own = source, own
        self.classes: tuple[str, ...] = tuple(dict.fromkeys((*source.classes, *own.classes)))

    def probabilities(self, features: Matrix) -> Matrix:
        """[n, K] for [n, d], columns as `classes`; rows sum to 1."""
        chances = np.zeros((len(features), len(self.classes)))
        place = {name: k for k, name in enumerate(self.classes)}
        parts: list[tuple[float, SourceModel | OwnClassifier]] = [
            (SOURCE_LABELS, self._source),
            (float(len(self._own)), self._own),
        ]
        for weight, model in parts:
            if weight and model.classes:
                columns = [place[name] for name in model.classes]
                chances[:, columns] += weight * model.probabilities(features)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Prequential accuracy of a source on the labels, and of the majority class.

    named: labels with an emotion that the source knows. trusted: whether the source is used: up to
    ten of them, and then while it is more accurate than the most frequent emotion so far.
    """

    named: int
    right: int
    majority: int

    @property
    def trusted(self) -> bool:
        return self.named < FEWEST_ANSWERS or self.right > self.majority


def source_record(source: SourceModel, lessons: Iterable[tuple[Vector, str]]) -> SourceRecord:
    """The record over features [d] and emotions, in the order of the labels."""
    known = [(features, name) for features, name in lessons if name in source.classes]
    if not known:
        return SourceRecord(0, 0, 0)
    rows = np.array([features for features, _ in known])
    said = [source.classes[k] for k in source.probabilities(rows).argmax(axis=1)]
    right = sum(a == name for a, (_, name) in zip(said, known, strict=True))
    seen: Counter[str] = Counter()
    majority = 0
    for _, name in known:
        majority += bool(seen) and seen.most_common(1)[0][0] == name
        seen[name] += 1
    return SourceRecord(len(known), right, majority)
