"""Fit the hierarchical prior of an encoder to many voices.

Each emotion label is replaced by its affective norm. Vectors are standardized per voice first, as a
profile does. See `learners.prior` for the model. No hyperparameter is set by hand: the penalty of
the population's expectation minimizes the error on held-out corpora, and the variances of offset,
weights and noise maximize the evidence of cross-fitted residuals. Only the offset variance is
limited further, so that one wrong label cannot move all predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln
from sklearn.linear_model import LogisticRegression

from streamer.learners.affect import LIMIT as AFFECT_LIMIT
from streamer.learners.affective_norms import affective_norm
from streamer.learners.normalization import LIMIT, PRIOR_WEIGHT
from streamer.learners.prior import Prior
from streamer.learners.regression import NOISE_WEIGHT
from streamer.learners.softmax import softmax
from streamer.training.data.speech import Clip
from streamer.training.export.probe import concordance
from streamer.types import DIMENSIONS

LEVELS_ONLY = frozenset({"baved"})
# What NRC's table, as the CTIAL paper prints it, has no row for, and is nearest to.
SAME_NORM = {"calm": "neutral"}
FEWEST_CLIPS = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """The hyperparameter grid of the fit, and the amount of data used.

    penalties: inverse penalties C of the softmax regression; shrinkage: of the within-class
    covariance to a multiple of I; rank: number of its directions; labels: per draw from a voice,
    for the evidence; shift: the most that one label may move all predictions through the offset.
    """

    penalties: tuple[float, ...] = (0.0005, 0.001, 0.002, 0.004)
    shrinkage: float = 0.5
    rank: int = 32
    labels: int = 40
    shift: float = 0.035
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LabelledClips:
    """Labelled clips, as standard scores by voice.

    x: [n, d]; y: norms, [n, 3]; emotions, corpora, voices: [n]; mean, deviation: [d], of an
    embedding, and within one voice; emotion_mean: [e].
    """

    x: np.ndarray
    y: np.ndarray
    emotions: np.ndarray
    corpora: np.ndarray
    voices: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    emotion_mean: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def of(self, kept: np.ndarray) -> LabelledClips:
        """A subset, bool [n], with the same statistics."""
        return LabelledClips(
            self.x[kept], self.y[kept], self.emotions[kept], self.corpora[kept], self.voices[kept],
            self.mean, self.deviation, self.emotion_mean,
        )  # fmt: skip


def norm_of(emotion: str) -> tuple[float, float, float] | None:
    return affective_norm(SAME_NORM.get(emotion, emotion))


def usable(clips: Sequence[Clip]) -> np.ndarray:
    """Clips with a norm, of voices with at least two emotions and enough clips: bool [clips].

    Corpora whose labels are levels, not emotions, are excluded.
    """
    heard: dict[tuple[str, str], list[str]] = {}
    for clip in clips:
        if norm_of(clip.emotion) is not None:
            heard.setdefault((clip.corpus, clip.speaker), []).append(clip.emotion)
    return np.array(
        [
            norm_of(c.emotion) is not None
            and c.corpus not in LEVELS_ONLY
            and c.speaker != ""
            and len(heard[c.corpus, c.speaker]) >= FEWEST_CLIPS
            and len(set(heard[c.corpus, c.speaker])) > 1
            for c in clips
        ],
        bool,
    )


def labelled_clips(vectors: np.ndarray, clips: Sequence[Clip]) -> LabelledClips:
    """The usable clips; vectors: [clips, d]."""
    kept = usable(clips)
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    if not rows:
        raise ValueError("no clip has an emotion with a norm: give corpora with emotion labels")
    corpora = np.array([c.corpus for c in rows])
    voices = np.array([f"{c.corpus}/{c.speaker}" for c in rows])
    raw = np.asarray(vectors[kept], np.float64)
    mean, deviation = voice_statistics(raw, corpora, voices)
    return LabelledClips(
        standardized(raw, voices, mean, deviation),
        np.array([norm_of(c.emotion) for c in rows], np.float64),
        np.array([SAME_NORM.get(c.emotion, c.emotion) for c in rows]),
        corpora, voices, mean, deviation,
    )  # fmt: skip


def voice_statistics(
    raw: np.ndarray, corpora: np.ndarray, voices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the voices' means and root of their mean variance, [d] each.

    A corpus is weighted by the square root of its number of voices.
    """
    names = np.unique(voices)
    corpus = np.array([corpora[voices == name][0] for name in names])
    share = np.array([1.0 / np.sqrt((corpus == one).sum()) for one in corpus])
    share /= share.sum()
    means = np.array([raw[voices == name].mean(axis=0) for name in names])
    variances = np.array([raw[voices == name].var(axis=0) for name in names])
    return share @ means, np.sqrt(share @ variances)


def standardized(
    raw: np.ndarray, voices: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> np.ndarray:
    """Standard scores by voice, the population counting for `PRIOR_WEIGHT` clips of it."""
    out = np.empty_like(raw)
    for name in np.unique(voices):
        own = raw[voices == name]
        weight = PRIOR_WEIGHT + len(own)
        centre = (PRIOR_WEIGHT * mean + own.sum(axis=0)) / weight
        within = PRIOR_WEIGHT * (deviation**2 + (mean - centre) ** 2)
        variance = (within + ((own - centre) ** 2).sum(axis=0)) / weight
        out[voices == name] = np.clip((own - centre) / np.sqrt(variance), -LIMIT, LIMIT)
    return out


def corpus_weights(clips: Sequence[Clip]) -> np.ndarray:
    """Weights that make corpora count by the square root of their number of clips: mean 1."""
    return _root_weights(np.array([c.corpus for c in clips]))


def _root_weights(corpora: np.ndarray) -> np.ndarray:
    names, counts = np.unique(corpora, return_counts=True)
    weights = 1.0 / np.sqrt(counts[np.searchsorted(names, corpora)])
    return np.asarray(weights / weights.mean())


def balanced_weights(corpora: np.ndarray, emotions: np.ndarray) -> np.ndarray:
    """As `corpus_weights`, and within a corpus every emotion weighs the same: mean 1."""
    weights = _root_weights(corpora)
    for corpus in np.unique(corpora):
        own = corpora == corpus
        kinds, counts = np.unique(emotions[own], return_counts=True)
        each = own.sum() / len(kinds) / counts
        weights[own] *= each[np.searchsorted(kinds, emotions[own])]
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True, slots=True)
class Expectation:
    """m of `learners.prior`: softmax regression on the emotions, then their norms."""

    weights: np.ndarray
    intercept: np.ndarray
    affect: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[n, 3] for standard scores [n, d]."""
        return softmax(x @ self.weights + self.intercept) @ self.affect


def fit_expectation(labelled: LabelledClips, penalty: float) -> Expectation:
    """penalty: the inverse one, C, of scikit-learn's logistic regression."""
    weights = balanced_weights(labelled.corpora, labelled.emotions)
    model = LogisticRegression(C=penalty, max_iter=300)
    model.fit(labelled.x, labelled.emotions, sample_weight=weights)
    coefficients, intercept = model.coef_.T, model.intercept_
    if len(model.classes_) == 2:  # one column there, for the second class
        coefficients = np.concatenate([-coefficients, coefficients], axis=1) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return Expectation(coefficients, intercept, np.array([norm_of(e) for e in model.classes_]))


def damped_directions(
    labelled: LabelledClips, shrinkage: float, rank: int
) -> tuple[np.ndarray, np.ndarray]:
    """U [d, r] and h [r] of `learners.prior`, from the within-class covariance.

    The inverse root of (1 - shrinkage) S + shrinkage tr(S)/d I, over its value in the other
    directions.
    """
    size = labelled.x.shape[1]
    total, scatter = 0.0, np.zeros((size, size))
    kinds = np.char.add(np.char.add(labelled.voices, "/"), labelled.emotions)
    for corpus in np.unique(labelled.corpora):
        own = np.zeros((size, size))
        count = 0
        for kind in np.unique(kinds[labelled.corpora == corpus]):
            rows = labelled.x[kinds == kind]
            centred = rows - rows.mean(axis=0)
            own += centred.T @ centred
            count += len(rows) - 1
        if count:
            scatter += own / np.sqrt(count)
            total += np.sqrt(count)
    values, vectors = np.linalg.eigh(scatter / total)
    values, vectors = values[::-1], vectors[:, ::-1]
    rank = min(rank, size - 1)
    shrunk = (1.0 - shrinkage) * values + shrinkage * values.mean()
    factors = 1.0 / np.sqrt(shrunk)
    return vectors[:, :rank], 1.0 - factors[:rank] / factors[rank:].mean()


@dataclass(frozen=True, slots=True)
class Draw:
    """Some clips of one voice: damped scores' Gram matrix [n, n], residuals [n, 3], weight."""

    gram: np.ndarray
    residual: np.ndarray
    weight: float


def draws(
    labelled: LabelledClips, expected: np.ndarray, damped: np.ndarray, settings: Settings
) -> list[Draw]:
    """Draws of clips of every voice, several per voice for corpora with few voices.

    A corpus counts by the root of its draws. expected: [n, 3]; damped: [n, d].
    """
    rng, found = np.random.default_rng(settings.seed), []
    for corpus in np.unique(labelled.corpora):
        voices = np.unique(labelled.voices[labelled.corpora == corpus])
        repeats = 3 if len(voices) < 12 else 1
        weight = 1.0 / np.sqrt(len(voices) * repeats)
        for voice in np.repeat(voices, repeats):
            own = rng.permutation(np.flatnonzero(labelled.voices == voice))[: settings.labels]
            gram = damped[own] @ damped[own].T
            found.append(Draw(gram, labelled.y[own] - expected[own], weight))
    return found


def log_evidence(found: Sequence[Draw], column: int, logs: np.ndarray) -> float:
    """Mean log density of a rating, under the noise s2, offset a and weights b of exp(logs).

    Student's t with `NOISE_WEIGHT` degrees of freedom: each voice has its own noise.
    """
    noise, offset, weights = np.exp(logs)
    total = count = 0.0
    for draw in found:
        size = len(draw.residual)
        factor = np.linalg.cholesky(offset + weights * draw.gram + np.eye(size))
        white = np.linalg.solve(factor, draw.residual[:, column])
        density = (
            gammaln((NOISE_WEIGHT + size) / 2)
            - gammaln(NOISE_WEIGHT / 2)
            - size / 2 * np.log(NOISE_WEIGHT * np.pi * noise)
            - np.log(np.diag(factor)).sum()
            - (NOISE_WEIGHT + size) / 2 * np.log1p(white @ white / (NOISE_WEIGHT * noise))
        )
        total += draw.weight * density
        count += draw.weight * size
    return total / count


def maximize_evidence(found: Sequence[Draw], column: int) -> np.ndarray:
    """s2, a, b of maximum evidence, [3]."""
    result = minimize(
        lambda logs: -log_evidence(found, column, logs),
        np.log([0.1, 0.3, 4.0]),
        method="L-BFGS-B",
        bounds=[(-7.0, 1.0), (-7.0, 4.0), (-7.0, 5.0)],
    )
    return np.exp(result.x)


def limited_offset(voice: np.ndarray, length: float, shift: float) -> float:
    """a, limited so that one label moves unrelated predictions by at most shift.

    voice: s2, a, b; length: mean squared length of damped inputs. A label at `affect.LIMIT`
    deviations moves the offset by a s LIMIT / sqrt(1 + a + b length).
    """
    noise, offset, weights = voice
    ratio = (shift / AFFECT_LIMIT) ** 2 / noise  # a^2 / (1 + a + b length) at the limit
    most = (ratio + np.sqrt(ratio**2 + 4.0 * ratio * (1.0 + weights * length))) / 2.0
    return float(min(offset, most))


def cross_fitted(labelled: LabelledClips, penalty: float) -> np.ndarray:
    """The expectation of each clip, fitted without its corpus, [n, 3]."""
    expected = np.empty_like(labelled.y)
    for corpus in np.unique(labelled.corpora):
        own = labelled.corpora == corpus
        expected[own] = fit_expectation(labelled.of(~own), penalty)(labelled.x[own])
    return expected


def corpus_error(labelled: LabelledClips, expected: np.ndarray) -> float:
    """Root mean square error over a corpus's clips, then the mean over corpora by their weight."""
    errors, weights = [], []
    for corpus in np.unique(labelled.corpora):
        own = labelled.corpora == corpus
        errors.append(np.sqrt(((expected[own] - labelled.y[own]) ** 2).mean()))
        weights.append(np.sqrt(own.sum()))
    return float(np.average(errors, weights=weights))


def fit_prior(
    labelled: LabelledClips, settings: Settings | None = None
) -> tuple[Prior, dict[str, object]]:
    """The hierarchical prior without prototypes, and the chosen hyperparameters."""
    settings = settings or Settings()
    tried = {penalty: cross_fitted(labelled, penalty) for penalty in settings.penalties}
    errors = {penalty: corpus_error(labelled, expected) for penalty, expected in tried.items()}
    penalty = min(errors, key=errors.__getitem__)
    directions, damping = damped_directions(labelled, settings.shrinkage, settings.rank)
    size = labelled.x.shape[1]
    along = (labelled.x @ directions) * damping
    damped = (labelled.x - along @ directions.T) / np.sqrt(size)
    found = draws(labelled, tried[penalty], damped, settings)
    voices = np.array([maximize_evidence(found, column) for column in range(len(DIMENSIONS))])
    length = float((damped**2).sum(axis=1).mean())
    offset = np.array([limited_offset(voice, length, settings.shift) for voice in voices])
    expectation = fit_expectation(labelled, penalty)
    prior = Prior(
        embedding_mean=labelled.mean,
        embedding_deviation=labelled.deviation,
        emotion_mean=labelled.emotion_mean,
        weights=np.zeros((size, len(DIMENSIONS))),
        intercept=np.zeros(len(DIMENSIONS)),
        noise=np.sqrt(voices[:, 0]),
        class_weights=expectation.weights,
        class_intercept=expectation.intercept,
        class_affect=expectation.affect,
        offset_variance=offset,
        weight_variance=voices[:, 2],
        damped_directions=directions,
        damping=damping,
    )
    chosen = {
        "penalty": penalty,
        "error_left_out": {str(p): round(e, 4) for p, e in errors.items()},
        "noise": prior.noise.round(4).tolist(),
        "offset_variance": prior.offset_variance.round(4).tolist(),
        "offset_variance_by_evidence": voices[:, 1].round(4).tolist(),
        "weight_variance": prior.weight_variance.round(4).tolist(),
    }
    return prior, chosen


def cold_concordance(
    vectors: np.ndarray, clips: Sequence[Clip], held_out: str, penalty: float
) -> dict[str, float]:
    """CCC against the norms on one corpus, of the expectation fitted on all the others."""
    labelled = labelled_clips(vectors, clips)
    own = labelled.corpora == held_out
    answer = fit_expectation(labelled.of(~own), penalty)(labelled.x[own])
    return {
        name: concordance(labelled.y[own][:, i], answer[:, i]) for i, name in enumerate(DIMENSIONS)
    }
