"""Several answers on one utterance: soft labels, agreement, and annotators' uncertainty.

Soft labels and disagreement follow AFTER (Li et al. 2024, sections 5.7 and 5.8) and, for the
uncertainty over annotators' own models, ACTOR (Wang and Plank 2023), which it adapts.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.entropy import entropy
from streamer.learners.softmax import softmax
from streamer.types import Matrix, Vector

Cube = NDArray[np.float64]

_LEAST = 1e-12


def soft_labels(votes: Matrix, weights: Vector | None = None) -> Matrix:
    """Class distributions, [n, K], from votes: counts [n, K], or one-hot answers [a, n, K].

    weights: float64 [a], each annotator's, >= 0. Rows without votes are even over all classes.

    >>> soft_labels(np.array([[3.0, 1.0], [0.0, 0.0]])).tolist()
    [[0.75, 0.25], [0.5, 0.5]]
    """
    if votes.ndim == 2:
        counts = votes
    else:
        counts = np.tensordot(np.ones(len(votes)) if weights is None else weights, votes, axes=1)
    totals = counts.sum(axis=1, keepdims=True)
    even = np.full_like(counts, 1.0 / counts.shape[1])
    return np.asarray(np.divide(counts, totals, out=even, where=totals > 0.0))


def agreement(votes: Matrix) -> Vector:
    """Agreement of the votes on each utterance, [n] in [0, 1], for counts [n, K].

    1 - H/ln K of the soft label: 1 where all say the same, 0 where they are spread evenly or
    nobody voted. It is the weight of the utterance in training.
    """
    if votes.shape[1] < 2:
        return np.ones(len(votes))
    return np.asarray(1.0 - entropy(soft_labels(votes)) / np.log(votes.shape[1]))


def annotator_weights(answers: Matrix) -> Vector:
    """Agreement of each annotator with the others, [a] in [0, 1], for answers [a, n].

    The correlation with the mean of the others over what both have answered (nan: not answered),
    negative ones as 0: the weights of the evaluator-weighted estimator (Grimm and Kroschel
    2005). An annotator who cannot be compared, having fewer than 3 utterances with the
    others or always the same answer, gets the mean of those who can; all alike if nobody can.
    """
    weights = np.full(len(answers), np.nan)
    for row, own in enumerate(answers):
        rest = np.delete(answers, row, axis=0)
        given = np.isfinite(rest)
        mean = np.where(given, rest, 0.0).sum(axis=0) / np.maximum(given.sum(axis=0), 1)
        shared = np.isfinite(own) & given.any(axis=0)
        if shared.sum() < 3 or np.ptp(own[shared]) == 0.0 or np.ptp(mean[shared]) == 0.0:
            continue
        weights[row] = max(float(np.corrcoef(own[shared], mean[shared])[0, 1]), 0.0)
    known = np.isfinite(weights)
    if not known.any() or weights[known].sum() == 0.0:
        return np.ones(len(answers))
    return np.where(known, weights, weights[known].mean())


def weighted_answers(answers: Matrix, weights: Vector) -> Vector:
    """Sum_a w_a y_a / sum_a w_a over those who answered, [n], nan where nobody did.

    answers: [a, n], nan where not answered (Grimm and Kroschel 2005).
    """
    given = np.isfinite(answers)
    shares = np.where(given, weights[:, np.newaxis], 0.0)
    # Where only annotators of weight 0 answered, they count alike.
    shares = np.where(given & (shares.sum(axis=0) == 0.0), 1.0, shares)
    totals = shares.sum(axis=0)
    sums = (shares * np.where(given, answers, 0.0)).sum(axis=0)
    unanswered = np.full(answers.shape[1], np.nan)
    return np.asarray(np.divide(sums, totals, out=unanswered, where=totals > 0.0))


def individual_uncertainty(chances: Cube) -> Vector:
    """Highest entropy among the annotators' models, [n], for [a, n, K], in nats.

    AFTER's equation 13 takes the pair of utterance and annotator of the highest entropy:
    `least_sure` is the annotator of the pair.
    """
    return np.asarray(entropy(chances).max(axis=0))


def least_sure(chances: Cube) -> NDArray[np.intp]:
    """The annotator whose model has the highest entropy, [n], for [a, n, K]."""
    return np.asarray(entropy(chances).argmax(axis=0))


def group_uncertainty(chances: Cube) -> Vector:
    """Entropy of softmax(sum over annotators of their normalized logits), [n] (equation 14).

    Normalized logits are log-probabilities, so this is the entropy of the normalized product of the
    annotators' probabilities: where all agree, it is lower than each annotator's own.
    """
    logits = np.log(np.maximum(chances, _LEAST)).sum(axis=0)
    return np.asarray(entropy(softmax(logits)))


def vote_variance(chances: Cube) -> Vector:
    """Variance of the votes, [n] in [0, 1 - 1/K]: each model votes for its most probable class.

    Of a vote as a one-hot vector: sum_k v_k (1 - v_k), where v_k is the part that votes for k.
    With two classes it is twice the variance of a vote in {0, 1}.
    """
    votes = np.eye(chances.shape[2])[chances.argmax(axis=2)].mean(axis=0)
    return np.asarray((votes * (1.0 - votes)).sum(axis=1))


def mixed_uncertainty(chances: Cube) -> Vector:
    """Individual plus group uncertainty, [n]."""
    return individual_uncertainty(chances) + group_uncertainty(chances)


def stacked(chances: Sequence[Matrix]) -> Cube:
    """[a, n, K] of annotators' [n, K]. Raises UsageError where their classes do not match."""
    shapes = {matrix.shape for matrix in chances}
    if len(shapes) != 1:
        raise UsageError(
            f"annotators' models have shapes {sorted(shapes)}: give all the same classes"
        )
    return np.stack(list(chances))
