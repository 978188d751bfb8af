"""What the nearest labelled embeddings say."""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.names import decode_names, encode_names
from streamer.types import Vector

Matrix = NDArray[np.float64]

NEIGHBOURS: Final = 5
SMOOTHING: Final = 1.0
_HIT: Final = 1e-150


class NearestPrototypes:
    """Means of targets and chances of classes over the k nearest prototypes (Cover and Hart 1967).

    A prototype is a label as it came. With `per_class`, it is a mean: once a class has so many,
    another label joins the nearest of its class, so memory and time are bounded; with 1 there is
    the class's mean alone (nearest-centroid).

    Each of the k nearest counts by labels in it / Euclidean distance; one that is hit counts alone.

    size: d of the inputs. targets: how many numbers a label has. neighbours: k, >= 1.
    per_class: >= 1, or None for no limit. UsageError for others.
    """

    def __init__(
        self,
        size: int,
        targets: int = 0,
        neighbours: int = NEIGHBOURS,
        per_class: int | None = None,
    ) -> None:
        for name, value in (("neighbours", neighbours), ("per_class", per_class)):
            if value is not None and value < 1:
                raise UsageError(f"{name} = {value}: give 1 or more")
        self.neighbours = neighbours
        self.per_class = per_class
        self.classes: tuple[str, ...] = ()
        self.points: Matrix = np.zeros((0, size))
        self.targets: Matrix = np.zeros((0, targets))
        self._kinds: Vector = np.zeros(0)
        self._counts: Vector = np.zeros(0)

    def learn(self, inputs: Vector, targets: Vector, name: str = "") -> None:
        """Take one label: inputs float64 [d], targets [t], class `name`, which may be a new one."""
        if name not in self.classes:
            self.classes += (name,)
        kind = float(self.classes.index(name))
        own = np.flatnonzero(self._kinds == kind)
        if self.per_class is not None and len(own) >= self.per_class:
            nearest = own[int(np.argmin(_distances(inputs[np.newaxis], self.points[own])[0]))]
            self._counts[nearest] += 1.0
            part = 1.0 / self._counts[nearest]
            self.points[nearest] += part * (inputs - self.points[nearest])
            self.targets[nearest] += part * (targets - self.targets[nearest])
            return
        self.points = np.concatenate([self.points, inputs[np.newaxis]])
        self.targets = np.concatenate([self.targets, np.reshape(targets, (1, -1))])
        self._kinds = np.append(self._kinds, kind)
        self._counts = np.append(self._counts, 1.0)

    def predict(self, inputs: Matrix) -> Matrix:
        """Means of the targets, float64 [n, t] for [n, d]; 0 before the first label."""
        weights, nearest = self._weigh(inputs)
        return np.asarray(np.einsum("nk,nkt->nt", weights, self.targets[nearest]))

    def probabilities(self, inputs: Matrix, smoothing: float = SMOOTHING) -> Matrix:
        """Chances of the classes, float64 [n, K] for [n, d]; rows sum to 1 once K > 0.

        smoothing: votes given to every class beforehand, beside the k of the neighbours (Laplace's
        rule of succession): with 0, a class that is not near has no chance.
        """
        weights, nearest = self._weigh(inputs)
        kinds = np.arange(len(self.classes))
        member = self._kinds[nearest][:, :, np.newaxis] == kinds
        votes = self.neighbours * np.einsum("nk,nkc->nc", weights, member)
        total = self.neighbours + smoothing * len(kinds)
        return np.asarray((votes + smoothing) / total)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "points": self.points.copy(),
            "targets": self.targets.copy(),
            "kinds": self._kinds.copy(),
            "counts": self._counts.copy(),
            "classes": encode_names(self.classes),
            "settings": np.array([self.neighbours, self.per_class or 0], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        neighbours, per_class = (int(x) for x in arrays["settings"])
        size, targets = arrays["points"].shape[1], arrays["targets"].shape[1]
        restored = cls(size, targets, neighbours, per_class or None)
        restored.classes = decode_names(arrays["classes"])
        restored.points = np.array(arrays["points"])
        restored.targets = np.array(arrays["targets"])
        restored._kinds = np.array(arrays["kinds"])
        restored._counts = np.array(arrays["counts"])
        return restored

    def _weigh(self, inputs: Matrix) -> tuple[Matrix, NDArray[np.intp]]:
        """Weights, summing to 1, and places of the k nearest, both [n, k]; of equals the older."""
        distances = _distances(inputs, self.points)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : self.neighbours]
        near = np.take_along_axis(distances, nearest, axis=1)
        hit = near <= _HIT
        weights = np.where(hit.any(axis=1, keepdims=True), hit, 1.0 / np.maximum(near, _HIT))
        weights = weights * self._counts[nearest]
        return weights / weights.sum(axis=1, keepdims=True), nearest


def _distances(inputs: Matrix, points: Matrix) -> Matrix:
    """Euclidean, [n, m]. By differences: a point is at exactly 0 from itself."""
    found = np.zeros((len(inputs), len(points)))
    for row, place in zip(inputs, found, strict=True):
        place[:] = np.linalg.norm(points - row, axis=1)
    return found
