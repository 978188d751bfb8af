"""The protocol of query strategies, and the view of the model that they score with.

A strategy scores the utterances of a buffer or pool, given a view of the model, and selects a
batch: the highest scores, or one by one where the selection of one changes the value of the others.
`streamer.query.strategies` contains them all, `selection` splits a buffer.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from streamer.types import DIMENSIONS, Label, Matrix, Vector

ASKED_DIMENSIONS = ("valence", "arousal")


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labels so far, in order.

    features: float64 [m, d], as each label was learned. answers: float64 [m, 3], valence,
    arousal and dominance in [-1, 1], nan where not answered. emotions: [m], None where not named.
    """

    features: Matrix
    answers: Matrix
    emotions: Sequence[str | None]

    @classmethod
    def of(cls, learned: Sequence[tuple[Label, Vector]], size: int) -> Self:
        """From labels and the features, [size], they were learned with."""
        answers = [[getattr(label, name) for name in DIMENSIONS] for label, _ in learned]
        return cls(
            np.array([row for _, row in learned], np.float64).reshape(-1, size),
            np.array(answers, np.float64).reshape(-1, len(DIMENSIONS)),
            [label.emotion for label, _ in learned],
        )

    def answering(self, dimension: str) -> tuple[Matrix, Vector]:
        """Features [k, d] and answers [k] of the labels that rate this dimension."""
        column = self.answers[:, DIMENSIONS.index(dimension)]
        given = np.isfinite(column)
        return self.features[given], column[given]


@dataclass(frozen=True, slots=True)
class ClassChances:
    """probabilities: float64 [n, K], rows sum to 1; names: [K], the classes.

    annotator: whose model it is, "" for all; of_source: it is a classifier of another corpus or
    task, not updated by the labels here.
    """

    probabilities: Matrix
    names: Sequence[str]
    annotator: str = ""
    of_source: bool = False


class Knowledge(Protocol):
    """A view of what the learners know, for a strategy to ask.

    `features` everywhere: float64 [n, d], standard scores, never changed. Columns of valence,
    arousal and dominance are in the order of `types.DIMENSIONS`. What a learner cannot provide is
    None: a strategy that needs it then chooses at random and reports that (`by_chance`). Everything
    is computed on demand, and no call changes the model.
    """

    def means(self, features: Matrix) -> Matrix:
        """Predicted valence, arousal, dominance, [n, 3]; not clipped to the scale."""

    def deviations(self, features: Matrix) -> Matrix | None:
        """Standard deviations of a new answer, noise included, [n, 3]."""

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None:
        """Posterior covariance of the outputs at [n, d], [n, n], in units of the noise variance.

        Bayesian linear regression: X (A + X_L' X_L)^-1 X', without the noise of an answer.
        """

    def confidence(self, dimension: str, features: Matrix) -> Vector | None:
        """Chance in [0, 1], [n], that the dimension is above 0; None while a class is missing."""

    def lacks(self, dimension: str) -> str:
        """Why `confidence` is None, for people: "too few positive valence labels"."""

    def classes(self, features: Matrix) -> ClassChances | None:
        """Chances of the emotions, None while fewer than two have labels."""

    def annotators(self, features: Matrix) -> Sequence[ClassChances] | None:
        """Chances by each annotator's own model, all over the same names; None without any."""

    def labelled(self) -> Labelled:
        """All labels so far."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How informative each utterance of a buffer is.

    Attributes
    ----------
    values : float64 [n]
        Finite; higher is asked first.
    reason : str
        What they rest on, for people, in one line.
    at_random : bool
        What the strategy needs is missing, so the values are random.
    annotators : sequence of str [n] or None
        Which annotator to ask about each, where the strategy chooses that too.
    """

    values: Vector
    reason: str
    at_random: bool = False
    annotators: Sequence[str] | None = None

    def reason_of(self, asked: Mapping[int, int]) -> str:
        """The reason, with the annotators to ask; asked: the number of an utterance by its index.

        >>> Scores(np.zeros(2), "one is unsure", annotators=["ann", "ben"]).reason_of({1: 17})
        'one is unsure: ask ben about #17'
        """
        if self.annotators is None:
            return self.reason
        whom = ", ".join(f"{self.annotators[at]} about #{number}" for at, number in asked.items())
        return f"{self.reason}: ask {whom}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances to ask together.

    Attributes
    ----------
    indices : sequence of int [count]
        Distinct, in the order in which they were taken.
    scores : Scores
        Of the whole buffer; that of a taken one is the score at which it was taken.
    """

    indices: Sequence[int]
    scores: Scores

    @classmethod
    def of(cls, scores: Scores, count: int) -> Self:
        """The `count` highest."""
        return cls(highest(scores.values, count), scores)


class Strategy(Protocol):
    """Decides what is asked. `streamer.check_strategy` checks a class against this protocol.

    `features`: float64 [n, d], n >= 1, standard scores of the embeddings of a buffer or pool. The
    same generator state gives the same answer, which depends on nothing but the arguments.

    Attributes
    ----------
    name : str
        As shown in events and pages.
    """

    name: str

    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        """The informativeness of each utterance, if it alone were asked."""

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        """`count` of n utterances, 0 <= count <= n, to ask together."""


class Ranking(ABC):
    """A strategy whose batch is its highest scores; of equal ones, the earlier. Extend it.

    References
    ----------
    Han et al. 2013, table 2: the larger half of a buffer is asked.

    Examples
    --------
    >>> class Unusual(Ranking):
    ...     name = "unusual"
    ...     pointwise = True
    ...     def __call__(self, features, knowledge, rng):
    ...         return Scores(np.linalg.norm(features, axis=1), "farthest from the usual")
    >>> buffer = np.array([[0.0, 0.1], [2.0, -1.0], [0.5, 0.5]])
    >>> Unusual().take(buffer, None, 2, np.random.default_rng(0)).indices
    [1, 2]
    """

    name: str
    # True where the score of an utterance depends on that one and the model alone, and `take` is
    # that of this class: a pool is then scored in blocks without loss (see `query.blocks`).
    pointwise: bool = False

    @abstractmethod
    def __call__(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Scores:
        """As `Strategy`."""

    def take(
        self, features: Matrix, knowledge: Knowledge, count: int, rng: np.random.Generator
    ) -> Batch:
        return Batch.of(self(features, knowledge, rng), count)


def highest(values: Vector, count: int) -> list[int]:
    """Indices of the `count` highest of [n], highest first; of equal ones, the earlier.

    >>> highest(np.array([-0.4, -0.1, -0.2, -0.1]), 2)
    [1, 3]
    """
    return [int(i) for i in np.argsort(-values, kind="stable")[:count]]


def by_chance(count: int, rng: np.random.Generator, lack: str) -> Scores:
    """Random scores [count] with the plain reason: what is lacking."""
    return Scores(rng.random(count), f"at random: {lack}", at_random=True)
