"""The training data of a model: labels, and utterances enrolled as emotions.

A profile reads both from its rows (`profile_model`); a model without a profile keeps them itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np

from streamer.types import HasEncoding, Label, Matrix, Vector


@dataclass(frozen=True, slots=True)
class Lesson:
    """One label with the features that it is learned with, float64 [d].

    first: the utterance had no label before this one, so it is a valid test of the learner.
    """

    label: Label
    features: Vector
    first: bool


class TrainingSet(Protocol):
    """The training data that the model can read again."""

    def lessons(self) -> Iterable[Lesson]:
        """The effective learned labels, in the order in which they were given."""

    def enrolled(self) -> Mapping[str, Matrix]:
        """Every emotion's vectors, float64 [n, e], by name in alphabetical order."""

    def shares(self) -> Mapping[str, Vector]:
        """Each vector's fraction of annotators who chose the emotion, float64 [n] in (0, 1]."""


class MemoryTrainingSet:
    """A training set in memory.

    The same embedding is the same utterance. As in a profile, an annotator's later label of an
    utterance replaces the earlier one, and a label that names an emotion enrolls the utterance.
    """

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        # By annotator and utterance, oldest label first.
        self._labels: dict[tuple[str, int], tuple[Label, Vector, Vector]] = {}
        self._enrolled: defaultdict[str, dict[bytes, Vector]] = defaultdict(dict)

    def number_of(self, encoded: HasEncoding) -> int:
        """The utterance's number, counted from 1 in order of first appearance."""
        identity = blake2b(encoded.embedding.tobytes(), digest_size=16).digest()
        return self._numbers.setdefault(identity, len(self._numbers) + 1)

    def add(self, encoded: HasEncoding, label: Label, features: Vector) -> Lesson | None:
        """Keep a label; the lesson that it adds, or None where it replaced an earlier one."""
        key = label.annotator, label.utterance
        first = all(label.utterance != other for _, other in self._labels)
        replaced = self._labels.pop(key, None) is not None
        self._labels[key] = label, features, encoded.emotion.astype(np.float64)
        return None if replaced else Lesson(label, features, first)

    def enroll(self, emotion: str, encoded: HasEncoding) -> None:
        """Keep an utterance as an example of an emotion; twice under one name counts once."""
        vector = encoded.emotion.astype(np.float64)
        self._enrolled[emotion].setdefault(vector.tobytes(), vector)

    def lessons(self) -> Iterator[Lesson]:
        labelled: set[int] = set()
        for label, features, _ in self._labels.values():
            yield Lesson(label, features, label.utterance not in labelled)
            labelled.add(label.utterance)

    def enrolled(self) -> dict[str, Matrix]:
        return {name: np.array([v for v, _ in rows]) for name, rows in self._members().items()}

    def shares(self) -> dict[str, Vector]:
        return {name: np.array([s for _, s in rows]) for name, rows in self._members().items()}

    def _members(self) -> dict[str, list[tuple[Vector, float]]]:
        """Vectors and shares, by emotion in alphabetical order."""
        votes: defaultdict[bytes, Counter[str]] = defaultdict(Counter)
        members = {
            name: {key: (vector, 1.0) for key, vector in vectors.items()}
            for name, vectors in self._enrolled.items()
        }
        for label, _, vector in self._labels.values():
            if label.emotion is not None:
                votes[vector.tobytes()][label.emotion] += 1
        for label, _, vector in self._labels.values():
            key = vector.tobytes()
            if label.emotion is not None and key not in members.setdefault(label.emotion, {}):
                share = votes[key][label.emotion] / votes[key].total()
                members[label.emotion][key] = vector, share
        return {name: list(members[name].values()) for name in sorted(members)}
