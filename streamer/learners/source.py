"""Models of a labelled source corpus, with or without alignment to the target.

The source is the "other task" of cross-task active learning: it predicts emotions where the target
is labelled with dimensions, and dimensions where the target is labelled with emotions. It is never
updated with the target's labels, so that the two tasks disagree where a label is most informative.

A corpus of named emotions has dimensions too, the affective norms of its names; those of a clip
whose emotion has no norm are unknown, unless the corpus rates it.

References
----------
Xu, Jiang and Wu (2024), CTIAL, sections 2.4 to 2.6 and 3.1 to 3.3.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.adaptation import Adaptation, Classes, bda, principal_axes, tca
from streamer.learners.affective_norms import affective_norm
from streamer.learners.names import decode_names, encode_names
from streamer.learners.prior import Prior
from streamer.learners.softmax import SoftmaxLoss, fit_softmax, softmax
from streamer.types import Matrix, Vector

ALIGNMENTS: Final = ("none", "tca", "bda")
"""How a source is aligned with the target; BDA needs classes: dimensions go by TCA then."""

# Per clip, of the mean loss: a source is another voice in another room, and what
# fits it alone must not weigh. Of 0.02 to 3, these were best or nearly on five pairs of corpora.
CLASS_PENALTY: Final = 0.1
RIDGE_PENALTY: Final = 0.6
FEWEST_OF_A_CLASS: Final = 2
_TOLERANCE: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSource:
    """Clips of a source: features [n, d], standard scores by speaker; affect [n, 3]; emotions [n].

    affect: valence, arousal and dominance in [-1, 1], nan where unknown. emotions: None where the
    clip is not named.
    """

    features: Matrix
    affect: Matrix
    emotions: Sequence[str | None]

    def __post_init__(self) -> None:
        if not len(self.features) == len(self.affect) == len(self.emotions):
            raise UsageError(
                f"{len(self.features)} rows of features, {len(self.affect)} ratings and "
                f"{len(self.emotions)} emotions of a source: give one of each a clip"
            )

    def with_norms(self) -> "LabelledSource":
        """The same, with the affective norm of the emotion where a clip has no rating at all."""
        affect = self.affect.copy()
        for row, name in zip(affect, self.emotions, strict=True):
            norm = None if name is None else affective_norm(name)
            if norm is not None and not np.isfinite(row).any():
                row[:] = norm
        return LabelledSource(self.features, affect, self.emotions)


class SourceModel:
    """A softmax and a ridge regression of a source's clips, fitted once.

    classes: names, in the order of the columns of `probabilities`. balance: b of BDA, None where
    it was not used. rated: whether the source has valence, arousal and dominance.

    Parameters
    ----------
    source
        The source's clips; emotions with fewer than two clips are left out.
    target
        float64 [n_t, d]: standard scores of the target's utterances, without labels. With alignment
        "none" they are not used, and may be empty.
    alignment
        One of `ALIGNMENTS`.

    Raises
    ------
    UsageError
        For another alignment, or a source that has neither two emotions nor ratings.

    Examples
    --------
    >>> features = np.array([[2.0], [1.5], [-2.0], [-1.5]])
    >>> unrated = np.full((4, 3), np.nan)
    >>> source = LabelledSource(features, unrated, ["happy", "happy", "sad", "sad"]).with_norms()
    >>> model = SourceModel(source, features)
    >>> model.classes, bool(model.probabilities(np.array([[3.0]]))[0, 0] > 0.5)
    (('happy', 'sad'), True)
    """

    def __init__(self, source: LabelledSource, target: Matrix, alignment: str = "none") -> None:
        if alignment not in ALIGNMENTS:
            raise UsageError(f"alignment {alignment!r}: choose one of {', '.join(ALIGNMENTS)}")
        counts = Counter(name for name in source.emotions if name is not None)
        self.classes = tuple(sorted(n for n, count in counts.items() if count >= FEWEST_OF_A_CLASS))
        named, truth = _named(source, self.classes)
        answered = np.isfinite(source.affect).all(axis=1)
        self.rated = int(answered.sum()) >= FEWEST_OF_A_CLASS
        if len(self.classes) < 2 and not self.rated:
            raise UsageError(
                f"a source with {len(self.classes)} emotions and {int(answered.sum())} rated clips "
                "cannot be learned from: give one with two emotions of two clips each, or ratings"
            )
        size = source.features.shape[1]
        centre, axes = np.zeros(size), np.eye(size)
        if alignment != "none":
            centre, axes = principal_axes(np.concatenate([source.features, target]))
        reduced, others = (source.features - centre) @ axes, (target - centre) @ axes
        self.balance: float | None = None
        by_class = by_dimension = None
        if alignment != "none":
            by_class = by_dimension = tca(reduced, others)
            if alignment == "bda" and len(self.classes) > 1:
                found = bda(reduced[named], truth, others, classify_rows)
                by_class, self.balance = found.adaptation, found.balance
        self._class_weights = _mapped(
            centre, axes, by_class, reduced[named], lambda rows: fit_classes(rows, truth)
        )
        affect = source.affect[answered]
        self._affect_weights = _mapped(
            centre, axes, by_dimension, reduced[answered], lambda rows: fit_ridge(rows, affect)
        )

    def joined(self, prior: Prior) -> Prior:
        """A population's prior and this one with equal weight; the population's where not rated.

        The population has more voices, the source is closer to the target.
        """
        if not self.rated:
            return prior
        weights, intercept = self.affect_weights
        return replace(
            prior,
            weights=(prior.weights + weights) / 2.0,
            intercept=(prior.intercept + intercept) / 2.0,
            class_affect=prior.class_affect / 2.0,
        )

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        return {
            "classes": encode_names(self.classes),
            "class_weights": self._class_weights,
            "affect_weights": self._affect_weights,
            "rated": np.array([self.rated], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit; the balance is not kept."""
        restored = cls.__new__(cls)
        restored.classes = decode_names(arrays["classes"])
        restored._class_weights = np.array(arrays["class_weights"])
        restored._affect_weights = np.array(arrays["affect_weights"])
        restored.rated, restored.balance = bool(arrays["rated"][0]), None
        return restored

    def probabilities(self, features: Matrix) -> Matrix:
        """Probabilities of `classes`, [n, K] for [n, d]; rows sum to 1."""
        return softmax(features @ self._class_weights[:-1] + self._class_weights[-1])

    def means(self, features: Matrix) -> Matrix:
        """Valence, arousal, dominance, [n, 3] for [n, d]; not clipped to [-1, 1]."""
        weights, intercept = self.affect_weights
        return np.asarray(features @ weights + intercept)

    @property
    def affect_weights(self) -> tuple[Matrix, Vector]:
        """Weights [d, 3] and intercept [3] on standard scores, mapped back through the alignment.

        They have the form of a population prior; all are 0 for a source without ratings or norms.
        """
        return np.asarray(self._affect_weights[:-1]), np.asarray(self._affect_weights[-1])


def classify_rows(rows: Matrix, classes: Classes, others: Matrix) -> Classes:
    """The most probable class of [m, d] by a softmax regression of [n, d] and their classes [n]."""
    weights = fit_classes(rows, classes)
    return np.asarray((others @ weights[:-1] + weights[-1]).argmax(axis=1), np.intp)


def fit_classes(rows: Matrix, classes: Classes, penalty: float | None = None) -> Matrix:
    """Softmax regression of [n, d] on classes [n]: weights [d + 1, K], the intercepts last.

    penalty: of the squared weights, > 0; None for `CLASS_PENALTY` a row.
    """
    kinds = int(classes.max(initial=-1)) + 1
    extended = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    start = np.zeros((extended.shape[1], kinds))
    if not len(rows):
        return start
    held = np.full((extended.shape[1], 1), CLASS_PENALTY * len(rows) if penalty is None
                   else penalty)  # fmt: skip
    held[-1] = 0.0
    loss = SoftmaxLoss(extended, np.eye(kinds)[classes], held)
    return fit_softmax(loss, start, loss.rough_inverse_curvature(start), _TOLERANCE)


def fit_ridge(rows: Matrix, answers: Matrix, penalty: float | None = None) -> Matrix:
    """Ridge regression of [n, d] on answers [n, k]: weights [d + 1, k], the intercepts last.

    penalty: of the squared weights, > 0; None for `RIDGE_PENALTY` a row.
    """
    size = rows.shape[1]
    if not len(rows):
        return np.zeros((size + 1, answers.shape[1]))
    held = RIDGE_PENALTY * len(rows) if penalty is None else penalty
    centre, usual = rows.mean(axis=0), answers.mean(axis=0)
    centred = rows - centre
    scatter = centred.T @ centred
    scatter[np.diag_indices_from(scatter)] += held
    weights = np.linalg.solve(scatter, centred.T @ (answers - usual))
    return np.concatenate([weights, (usual - centre @ weights)[np.newaxis]])


def _named(source: LabelledSource, classes: Sequence[str]) -> tuple[Classes, Classes]:
    """Where the clips of `classes` are, int [m], and the class of each, int [m]."""
    place = {name: k for k, name in enumerate(classes)}
    found = [(i, place[n]) for i, n in enumerate(source.emotions) if n in place]
    pairs = np.array(found, np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _mapped(
    centre: Vector,
    axes: Matrix,
    adaptation: Adaptation | None,
    rows: Matrix,
    fit: Callable[[Matrix], Matrix],
) -> Matrix:
    """What `fit` finds on projected rows, as weights [d + 1, k] on the standard scores."""
    projection = axes if adaptation is None else axes @ adaptation.axes
    fitted = fit(rows if adaptation is None else adaptation(rows))
    weights = projection @ fitted[:-1]
    return np.concatenate([weights, (fitted[-1] - centre @ weights)[np.newaxis]])
