"""Population prototypes of the emotions, used before anything is enrolled.

A prototype is the mean over voices of the centred unit vectors of their clips, at unit length (Li
and Lee's mean of embeddings, section 3, over speakers). Its weight in enrolled clips, k0, is the
one with the best recall on held-out corpora.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.learners.normalization import PRIOR_WEIGHT
from streamer.learners.prototypes import calibrate, cosine_distance
from streamer.training.data.speech import Clip
from streamer.training.export.prior import LEVELS_ONLY
from streamer.training.export.probe import unit

WEIGHTS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
ENROLLED = (1, 3, 5, 10)
FEWEST_VOICES = 4
FEWEST_TESTED = 2


@dataclass(frozen=True, slots=True)
class Voices:
    """Labelled emotion vectors, centred by voice, at unit length: [n, e]; and their voices."""

    vectors: np.ndarray
    emotions: np.ndarray
    corpora: np.ndarray
    voices: np.ndarray
    mean: np.ndarray

    def of(self, kept: np.ndarray) -> Voices:
        return Voices(
            self.vectors[kept],
            self.emotions[kept],
            self.corpora[kept],
            self.voices[kept],
            self.mean,
        )


def voices_of(vectors: np.ndarray, clips: Sequence[Clip]) -> Voices:
    """The clips with a known emotion and speaker; vectors: [clips, e].

    The voice's mean, with the population's counting for `PRIOR_WEIGHT` clips, is subtracted, as a
    profile's running mean is.
    """
    kept = np.array([c.emotion != "" and c.speaker != "" and c.corpus not in LEVELS_ONLY
                     for c in clips])  # fmt: skip
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    raw = np.asarray(vectors[kept], np.float64)
    names = np.array([f"{c.corpus}/{c.speaker}" for c in rows])
    mean = np.mean([raw[names == name].mean(axis=0) for name in np.unique(names)], axis=0)
    centred = np.empty_like(raw)
    for name in np.unique(names):
        own = raw[names == name]
        usual = (PRIOR_WEIGHT * mean + own.sum(axis=0)) / (PRIOR_WEIGHT + len(own))
        centred[names == name] = own - usual
    return Voices(
        unit(centred), np.array([c.emotion for c in rows]), np.array([c.corpus for c in rows]),
        names, mean,
    )  # fmt: skip


def prototypes_of(known: Voices) -> dict[str, np.ndarray]:
    """Unit vectors [e] of the emotions with enough voices.

    A corpus is weighted by the square root of its number of voices.
    """
    found = {}
    for emotion in np.unique(known.emotions):
        total, count = np.zeros(known.vectors.shape[1]), 0
        for corpus in np.unique(known.corpora):
            own = (known.emotions == emotion) & (known.corpora == corpus)
            voices = np.unique(known.voices[own])
            if not len(voices):
                continue
            each = [unit(known.vectors[own & (known.voices == v)].mean(axis=0)) for v in voices]
            total += np.sqrt(len(voices)) * np.mean(each, axis=0)
            count += len(voices)
        if count >= FEWEST_VOICES:
            found[str(emotion)] = unit(total)
    return found


def recalls(
    tested: Voices,
    population: dict[str, np.ndarray],
    enrolled: int,
    weights: Sequence[float],
    rng: np.random.Generator,
) -> list[list[float]]:
    """Unweighted average recall of each voice, after `enrolled` clips of every emotion, by weight.

    Empty for voices that have too few clips. Emotions without a population prototype start from the
    enrolled clips; with none enrolled they cannot be recognized.
    """
    rows = []
    for voice in np.unique(tested.voices):
        own = np.flatnonzero(tested.voices == voice)
        clips = {
            str(e): rng.permutation(own[tested.emotions[own] == e])
            for e in np.unique(tested.emotions[own])
        }
        if len(clips) < 3 or min(map(len, clips.values())) < enrolled + FEWEST_TESTED:
            continue
        row = []
        for weight in weights:
            prototypes = []
            for emotion, numbers in clips.items():
                start = population.get(emotion, np.zeros(tested.vectors.shape[1]))
                own_sum = tested.vectors[numbers[:enrolled]].sum(axis=0)
                prototypes.append((weight if enrolled else 1.0) * start + own_sum)
            table = unit(np.array(prototypes))
            hits = [
                (np.argmax(tested.vectors[numbers[enrolled:]] @ table.T, axis=1) == index).mean()
                for index, numbers in enumerate(clips.values())
            ]
            row.append(float(np.mean(hits)))
        rows.append(row)
    return rows


def fit_weight(known: Voices, seed: int = 0) -> tuple[float, dict[str, float]]:
    """k0 of the best mean recall over corpora, leaving one corpus out, and over `ENROLLED`."""
    rng, by_corpus = np.random.default_rng(seed), []
    for corpus in np.unique(known.corpora):
        own = known.corpora == corpus
        population = prototypes_of(known.of(~own))
        for enrolled in ENROLLED:
            rows = recalls(known.of(own), population, enrolled, WEIGHTS, rng)
            if rows:
                by_corpus.append(np.mean(rows, axis=0))
    if not by_corpus:
        raise ValueError("no corpus has voices with enough clips of three emotions")
    mean = np.mean(by_corpus, axis=0)
    recall = {
        f"{weight:g}": round(float(value), 4) for weight, value in zip(WEIGHTS, mean, strict=True)
    }
    return float(WEIGHTS[int(np.argmax(mean))]), recall


def thresholds(known: Voices, population: dict[str, np.ndarray]) -> dict[str, float]:
    """The threshold of equal error of each prototype on held-out voices."""
    genuine: dict[str, list[float]] = {name: [] for name in population}
    impostors: dict[str, list[float]] = {name: [] for name in population}
    for corpus in np.unique(known.corpora):
        own = known.corpora == corpus
        tested = known.of(own)
        for name, prototype in prototypes_of(known.of(~own)).items():
            distances = cosine_distance(tested.vectors, prototype)
            same = tested.emotions == name
            genuine.setdefault(name, []).extend(distances[same])
            impostors.setdefault(name, []).extend(distances[~same])
    return {
        name: calibrate(np.array(genuine[name]), np.array(impostors[name]))[0]
        for name in population
    }
