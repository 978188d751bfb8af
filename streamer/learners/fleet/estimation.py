"""The prior of the next voice, from the statistics of many.

What the population's ratings of x are on average, m, gets a linear correction: ridge regression of
the residuals on damped standard scores and a constant, by the sums of all voices. Its strength has
the least error on voices left out, "no correction" among the choices. Mean and deviation of
embeddings and the prototypes shrink from the old prior, which counts as `PRIOR_VOICES` voices.

No voice rules, whatever it sent: its answers are scaled to what some answers could have been and
count as at most `MOST_LABELS`; where there are five voices or more, one that the others' estimate
predicts far worse than the rest is left out; and moments are trimmed means.

The variances of offset and weights, the noise and the thresholds stay those of the old prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.learners.fleet.statistics import VoiceStatistics, names_of, unit, voice_moments
from streamer.learners.normalization import LIMIT
from streamer.learners.prior import Prior
from streamer.learners.prototypes import UNCALIBRATED_THRESHOLD
from streamer.types import DIMENSIONS, Matrix, Vector

PRIOR_VOICES: Final = 20.0
MOST_LABELS: Final = 60.0
FEWEST_UTTERANCES: Final = 8
STRENGTHS: Final = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, np.inf)
# Fewer voices do not tell which of them is the odd one out.
FEWEST_TO_TRIM: Final = 5
TRIMMED: Final = 0.1
# A voice is left out beyond so many deviations above the median (of a normal distribution).
FARTHEST: Final = 4.0
_TO_DEVIATION: Final = 1.4826
_LEAST_DEVIATION: Final = 0.02
# A prototype that the old prior lacks needs so many voices, and n clips of one count n/(n + 3).
FEWEST_OF_AN_EMOTION: Final = 4
_HALF_A_VOICE: Final = 3.0
# Residuals of two values in [-1, 1].
_LARGEST_SQUARE: Final = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class FleetEstimate:
    """The prior, and how it came about.

    kept: of each voice, whether it was used. strengths: [3], inf for no correction. errors: [3],
    root mean square of what is left of the answers of voices left out; errors_before: without
    correction; nan where a dimension has no answer.
    """

    prior: Prior
    kept: Sequence[bool]
    strengths: Vector
    errors: Vector
    errors_before: Vector


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """One voice's answers about one dimension: factor F [r, d + 1], F b = targets, rest, weight."""

    factor: Matrix
    targets: Vector
    rest: float
    count: float
    weight: float

    @property
    def inputs(self) -> Matrix:
        return np.asarray(self.weight * self.factor.T @ self.factor)

    @property
    def products(self) -> Vector:
        return np.asarray(self.weight * self.factor.T @ self.targets)

    def mean_square(self, weights: Vector) -> float:
        """Mean squared residual under [d + 1] weights."""
        left = self.targets - self.factor @ weights
        return float((left @ left + self.rest) / self.count)


def estimate(voices: Sequence[VoiceStatistics], prior: Prior) -> FleetEstimate:
    """The prior of the next voice. The order of the voices does not matter, but for rounding."""
    columns = [[_answers(voice, column, prior) for voice in voices]
               for column in range(len(DIMENSIONS))]  # fmt: skip
    kept = _kept(columns)
    weights = np.zeros((prior.size + 1, len(DIMENSIONS)))
    strengths, errors, before = (np.full(len(DIMENSIONS), np.nan) for _ in range(3))
    for column, answers in enumerate(columns):
        used = [one for one, keep in zip(answers, kept, strict=True) if keep and one is not None]
        if not used:
            strengths[column] = np.inf
            continue
        found = _left_out_errors(used)
        counts = np.array([one.weight * one.count for one in used])
        mean = np.average(found, axis=0, weights=counts)
        # Of equals the strongest.
        best = len(STRENGTHS) - 1 - int(np.argmin(mean[::-1]))
        strengths[column] = STRENGTHS[best]
        errors[column], before[column] = np.sqrt(mean[best]), np.sqrt(mean[-1])
        weights[:, column] = population_weights(used, STRENGTHS[best])
    trusted = [voice for voice, keep in zip(voices, kept, strict=True) if keep]
    changed = replace(
        prior,
        weights=prior.weights + prior.damped(weights[:-1].T).T,
        intercept=prior.intercept + weights[-1],
    )
    return FleetEstimate(_with_moments(changed, trusted, prior), kept, strengths, errors, before)


def population_weights(answers: Sequence[_Answers], strength: float) -> Vector:
    """Ridge weights of the damped inputs and the constant, [d + 1]."""
    size = answers[0].factor.shape[1]
    if strength == np.inf:
        return np.zeros(size)
    total = sum((one.inputs for one in answers), np.zeros((size, size)))
    products = sum((one.products for one in answers), np.zeros(size))
    return np.asarray(np.linalg.solve(total + strength * np.eye(size), products))


def _answers(voice: VoiceStatistics, column: int, prior: Prior) -> _Answers | None:
    """Bounded to what some answers could have been; None without answers."""
    count = float(voice.labels[column])
    if count < 1.0:
        return None
    inputs = voice.inputs[column]
    size = prior.size
    damped = np.empty_like(inputs)
    damped[:size, :size] = prior.damped(prior.damped(inputs[:size, :size]).T)
    damped[:size, size] = damped[size, :size] = prior.damped(inputs[size, :size])
    damped[size, size] = inputs[size, size]
    values, vectors = np.linalg.eigh((damped + damped.T) / 2.0)
    known = values > max(float(values[-1]), 0.0) * 1e-12
    factor = (vectors[:, known] * np.sqrt(values[known])).T
    products = np.append(prior.damped(voice.targets[column, :size]), voice.targets[column, size])
    targets = (vectors[:, known] / np.sqrt(values[known])).T @ products
    largest = count * (LIMIT**2 + 1.0)
    factor = factor * min(1.0, np.sqrt(largest / max(float((factor**2).sum()), 1e-12)))
    squares = min(max(float(voice.squares[column]), 0.0), _LARGEST_SQUARE * count)
    explained = float(targets @ targets)
    if explained > squares:
        targets = targets * np.sqrt(squares / explained)
        explained = squares
    return _Answers(factor, targets, squares - explained, count, min(1.0, MOST_LABELS / count))


def _kept(columns: Sequence[Sequence[_Answers | None]]) -> list[bool]:
    """Whether each voice is used: none of its dimensions is far worse predicted than the rest.

    The farthest is left out first, as it may be what makes another one look far.
    """
    kept = np.ones(len(columns[0]), bool)
    for answers in columns:
        while True:
            left = [one if keep else None for one, keep in zip(answers, kept, strict=True)]
            if (farthest := _farthest(left)) is None:
                break
            kept[farthest] = False
    return [bool(keep) for keep in kept]


def _farthest(answers: Sequence[_Answers | None]) -> int | None:
    """The voice that the others predict worst, where that is beyond `FARTHEST`."""
    there = [(place, one) for place, one in enumerate(answers) if one is not None]
    if len(there) < FEWEST_TO_TRIM:
        return None
    found = np.sqrt(_left_out_errors([one for _, one in there]))
    error = found[:, int(np.argmin(np.median(found, axis=0)))]
    middle = float(np.median(error))
    deviation = _TO_DEVIATION * float(np.median(np.abs(error - middle)))
    worst = int(np.argmax(error))
    limit = middle + FARTHEST * max(deviation, _LEAST_DEVIATION)
    return there[worst][0] if error[worst] > limit else None


def _left_out_errors(answers: Sequence[_Answers]) -> Matrix:
    """Mean squared residual of each voice under the others' weights, [voices, strengths]."""
    size = answers[0].factor.shape[1]
    total = sum((one.inputs for one in answers), np.zeros((size, size)))
    products = sum((one.products for one in answers), np.zeros(size))
    errors = np.empty((len(answers), len(STRENGTHS)))
    for row, one in zip(errors, answers, strict=True):
        values, vectors = np.linalg.eigh(total - one.inputs)
        along = vectors.T @ (products - one.products)
        for k, strength in enumerate(STRENGTHS):
            row[k] = one.mean_square(vectors @ (along / (np.maximum(values, 0.0) + strength)))
    return errors


def _with_moments(changed: Prior, voices: Sequence[VoiceStatistics], prior: Prior) -> Prior:
    """The prior with the moments and prototypes of the voices."""
    heard = [voice for voice in voices if voice.utterances[0] >= FEWEST_UTTERANCES]
    if heard:
        moments = [
            voice_moments(float(v.utterances[0]), v.embedding_sum, v.embedding_squares)
            for v in heard
        ]
        share = len(heard) / (PRIOR_VOICES + len(heard))
        mean = share * _trimmed_mean(np.array([mean for mean, _ in moments]))
        variance = 1.0 + share * (_trimmed_mean(np.array([v for _, v in moments])) - 1.0)
        usual = _trimmed_mean(np.array([v.emotion_sum / v.utterances[0] for v in heard]))
        changed = replace(
            changed,
            embedding_mean=prior.embedding_mean + prior.embedding_deviation * mean,
            embedding_deviation=prior.embedding_deviation * np.sqrt(variance),
            emotion_mean=prior.emotion_mean + share * (usual - prior.emotion_mean),
        )
    return _with_prototypes(changed, voices, prior)


def _with_prototypes(changed: Prior, voices: Sequence[VoiceStatistics], prior: Prior) -> Prior:
    old = len(prior.prototype_names)
    means, names, limits = [], [], []
    usual = float(np.median(prior.prototype_thresholds)) if old else UNCALIBRATED_THRESHOLD
    for index, name in enumerate(names_of(prior)):
        own = [voice for voice in voices if voice.prototype_counts[index] > 0.0]
        if index >= old and len(own) < FEWEST_OF_AN_EMOTION:
            continue
        counts = np.array([voice.prototype_counts[index] for voice in own])
        total = np.zeros(len(prior.emotion_mean))
        if index < old:
            total = PRIOR_VOICES * prior.prototypes[index]
        for count, voice in zip(counts, own, strict=True):
            total = total + count / (count + _HALF_A_VOICE) * unit(voice.prototype_sums[index])
        means.append(unit(total))
        names.append(name)
        limits.append(float(prior.prototype_thresholds[index]) if index < old else usual)
    if not names:
        return changed
    return replace(
        changed,
        prototypes=np.array(means),
        prototype_names=np.array(names),
        prototype_thresholds=np.array(limits),
    )


def _trimmed_mean(rows: NDArray[np.float64]) -> Vector:
    """Mean of each column without its lowest and highest tenth, at least one from five rows on."""
    cut = int(TRIMMED * len(rows))
    if len(rows) >= FEWEST_TO_TRIM:
        cut = max(cut, 1)
    return np.asarray(np.sort(rows, axis=0)[cut : len(rows) - cut].mean(axis=0))
