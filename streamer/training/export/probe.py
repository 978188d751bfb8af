"""Linear probes of embeddings, tested on unseen speakers.

All metrics are unweighted average recall (UAR, the mean of the classes' recalls, [0, 1]) or Lin's
concordance (CCC, [-1, 1]), on vectors [clips, d] beside their clips' rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import recall_score

from streamer.training.data.speech import Clip

NEUTRAL = "neutral"


def speaker_folds(clips: Sequence[Clip], folds: int) -> np.ndarray:
    """A fold number for each clip, by speaker, round robin in sorted order.

    There are at most as many folds as speakers.
    """
    order = {name: i % folds for i, name in enumerate(sorted({c.speaker for c in clips}))}
    return np.array([order[c.speaker] for c in clips])


def standardize_speakers(vectors: np.ndarray, clips: Sequence[Clip]) -> np.ndarray:
    """Standardize by each speaker's mean and deviation, as the product does for a profile."""
    speakers = np.array([f"{c.corpus}/{c.speaker}" for c in clips])
    out = np.empty_like(vectors, dtype=np.float32)
    for name in np.unique(speakers):
        own = speakers == name
        out[own] = (vectors[own] - vectors[own].mean(0)) / (vectors[own].std(0) + 1e-3)
    return out


def centre_speakers(vectors: np.ndarray, clips: Sequence[Clip]) -> np.ndarray:
    """Subtract each speaker's own mean; the deviation stays."""
    speakers = np.array([f"{c.corpus}/{c.speaker}" for c in clips])
    out = np.empty_like(vectors)
    for name in np.unique(speakers):
        out[speakers == name] = vectors[speakers == name] - vectors[speakers == name].mean(0)
    return out


def logistic(inverse_penalty: float = 0.03) -> LogisticRegression:
    return LogisticRegression(C=inverse_penalty, max_iter=400)


def ridge_classifier(penalty: float = 1000.0) -> RidgeClassifier:
    return RidgeClassifier(penalty, class_weight="balanced")


def probe_uar(
    vectors: np.ndarray,
    clips: Sequence[Clip],
    folds: int = 6,
    classifier: Callable[[], LogisticRegression | RidgeClassifier] = logistic,
) -> float:
    """Speaker-independent UAR of a linear classifier on standardized vectors."""
    emotions, fold = np.array([c.emotion for c in clips]), speaker_folds(clips, folds)
    answers = np.empty_like(emotions)
    for held in np.unique(fold):
        train, test = fold != held, fold == held
        mean, deviation = vectors[train].mean(0), vectors[train].std(0) + 1e-6
        model = classifier()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit((vectors[train] - mean) / deviation, emotions[train])
        answers[test] = model.predict((vectors[test] - mean) / deviation)
    return float(recall_score(emotions, answers, average="macro"))


def verify_uar(
    vectors: np.ndarray,
    clips: Sequence[Clip],
    emotion: str,
    enrolled: int,
    rng: np.random.Generator,
    rounds: int = 20,
) -> float:
    """UAR of ``emotion`` against neutral from prototypes of other speakers (Li and Lee).

    Each round draws half of the speakers, takes ``enrolled`` clips of each class from them, and
    assigns every clip of the other half to the nearer prototype (mean vector) by cosine distance.
    """
    emotions, speakers = np.array([c.emotion for c in clips]), np.array([c.speaker for c in clips])
    recalls = []
    for _ in range(rounds):
        names = rng.permutation(np.unique(speakers))
        enrolling = np.isin(speakers, names[: len(names) // 2])
        prototypes = []
        for label in (emotion, NEUTRAL):
            pool = np.flatnonzero(enrolling & (emotions == label))
            prototypes.append(
                vectors[rng.choice(pool, min(enrolled, len(pool)), replace=False)].mean(0)
            )
        similar = unit(vectors[~enrolling]) @ unit(np.stack(prototypes)).T
        chosen = np.where(similar[:, 0] > similar[:, 1], emotion, NEUTRAL)
        heard = emotions[~enrolling]
        recalls.append(
            np.mean([(chosen[heard == label] == label).mean() for label in (emotion, NEUTRAL)])
        )
    return float(np.mean(recalls))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows at unit length."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def concordance(truth: np.ndarray, answer: np.ndarray) -> float:
    """Lin's CCC: 2 cov / (var + var + (difference of means)^2)."""
    covariance = np.mean((truth - truth.mean()) * (answer - answer.mean()))
    return float(
        2 * covariance / (truth.var() + answer.var() + (truth.mean() - answer.mean()) ** 2)
    )
