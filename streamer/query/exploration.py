"""Estimates from randomly drawn questions: unbiased agreement, and the labels saved.

Answers to selected questions are a biased test set: the utterances that the strategy prefers, which
are hard for the learner. A fraction of the questions is therefore drawn at random from all
utterances (`selection.choose`), each with a known probability; weighted by its inverse, their
answers represent all utterances (Horvitz and Thompson 1952).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.types import Matrix, Vector

FEWEST: Final = 30
LEVEL: Final = 0.9
_RESAMPLES: Final = 1000
_EDGES: Final = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)


@dataclass(frozen=True, slots=True)
class FairAgreement:
    """CCC over all utterances: an estimate and its `LEVEL` interval, and the number of answers."""

    ccc: float
    low: float
    high: float
    answers: int


@dataclass(frozen=True, slots=True)
class LabelsSaved:
    """needed: labels the learner had when it did as well as `by_chance` labels drawn at random.

    low, high: of the `LEVEL` interval of `needed`; inf where the learner may not have got there.
    """

    by_chance: int
    needed: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        """Whether the interval excludes 0 labels saved."""
        return self.high < self.by_chance or self.low > self.by_chance


def fair_agreement(
    predictions: Vector, truths: Vector, propensities: Vector, rng: np.random.Generator
) -> FairAgreement | None:
    """CCC from randomly drawn answers, [n] each; None, not known, below `FEWEST`.

    predictions: made before the answer was learned. propensities: probabilities of the draws, > 0.
    The interval is a percentile bootstrap (Efron 1979) of the answers with their weights.
    """
    count = len(predictions)
    if count < FEWEST:
        return None
    weights = 1.0 / propensities
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=_RESAMPLES)
    resampled = _weighted_ccc(predictions, truths, drawn * weights)
    resampled = resampled[np.isfinite(resampled)]
    whole = float(_weighted_ccc(predictions, truths, weights[np.newaxis])[0])
    if not len(resampled) or not np.isfinite(whole):
        return None
    low, high = np.quantile(resampled, _EDGES)
    return FairAgreement(whole, float(low), float(high), count)


def labels_saved(
    own_errors: Matrix,
    own_labels: Vector,
    chance_errors: Matrix,
    chance_labels: int,
    rng: np.random.Generator,
) -> LabelsSaved | None:
    """Labels needed to be as accurate as with random selection; None below `FEWEST` answers.

    All errors are squared errors on the m randomly drawn answers, nan where the answer had been
    learned. own_errors: [g, m], of the learner as it was with own_labels, [g], growing.
    chance_errors: [h, m], of h >= 2 learners trained on chance_labels of the randomly drawn answers
    only, a different half of them each.

    The result is the number of labels at which the learner's mean error, assumed not to rise with
    more labels, reaches that of random selection. Errors are taken relative to the mean of all
    learners on the same answer, which removes the difficulty of the answers. The interval comes
    from resampling the answers and the random learners: those share their answers, so their mean
    has half the variance of one, and is resampled as the mean of two. `LabelsSaved.tells` says
    whether it is narrow enough to be conclusive; often it is not.
    """
    count = own_errors.shape[1]
    if count < FEWEST:
        return None
    errors = np.concatenate([own_errors, chance_errors])
    errors = errors - np.nanmean(errors, axis=0)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=_RESAMPLES)
    means = _means(errors, np.concatenate([np.ones((1, count)), drawn]))  # [1 + r, g + h]
    if not np.isfinite(means).all():
        return None
    own, chance = means[:, : len(own_errors)], means[:, len(own_errors) :]
    rows = np.arange(1, len(means))
    level = chance.mean(axis=1)
    needed = np.empty(len(means))
    needed[0] = _reached(own[0], own_labels, float(level[0]))
    luck = rng.integers(chance.shape[1], size=(len(rows), 2))
    for row, two in zip(rows, luck, strict=True):
        needed[row] = _reached(own[row], own_labels, float(chance[row, two].mean()))
    # Sorted by hand: quantiles interpolate, and cannot with inf.
    ordered = np.sort(needed[1:])
    low, high = (ordered[round(part * (len(ordered) - 1))] for part in _EDGES)
    return LabelsSaved(chance_labels, float(needed[0]), float(low), float(high))


def _weighted_ccc(predictions: Vector, truths: Vector, weights: Matrix) -> Vector:
    """CCC under each row of weights, [r, n] to [r] (Lin 1989, equation 3)."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    mean_p, mean_t = shares @ predictions, shares @ truths
    variance_p = shares @ predictions**2 - mean_p**2
    variance_t = shares @ truths**2 - mean_t**2
    covariance = shares @ (predictions * truths) - mean_p * mean_t
    spread = variance_p + variance_t + (mean_p - mean_t) ** 2
    undefined = np.full_like(spread, np.nan)
    return np.asarray(np.divide(2.0 * covariance, spread, out=undefined, where=spread > 1e-12))


def _means(errors: Matrix, weights: Matrix) -> Matrix:
    """Mean error of each learner under each row of weights, [l, m] and [r, m] to [r, l]."""
    there = np.isfinite(errors)
    sums = weights @ np.where(there, errors, 0.0).T
    totals = weights @ there.T
    return np.asarray(np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0.0))


def _reached(errors: Vector, labels: Vector, level: float) -> float:
    """The interpolated label count at which falling errors [g] first reach a level.

    The first count where they start below it; inf where they never reach it.
    """
    lowest = np.minimum.accumulate(errors)
    below = np.flatnonzero(lowest <= level)
    if not len(below):
        return float("inf")
    at = int(below[0])
    if at == 0:
        return float(labels[0])
    part = (lowest[at - 1] - level) / (lowest[at - 1] - lowest[at])
    return float(labels[at - 1] + part * (labels[at] - labels[at - 1]))
