"""Trials of emotion maps on unseen emotions.

A trial removes one emotion from every corpus, fits the map on the rest, then enrolls 10 clips of
that emotion and of neutral, and verifies the others (Li and Lee). Two protocols:

    corpus     the map was made without the tested corpus
    speakers   the map was made with half of its speakers, who enroll; the other half is tested

In neither has the map seen the test speakers or the emotion. Results are UAR, with each speaker's
mean vector subtracted (as a profile does) and, "plain", without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.training.data.speech import Clip
from streamer.training.export.probe import NEUTRAL, centre_speakers, unit
from streamer.training.head.episodes import trainable_clips

Vectors = Callable[[np.ndarray], np.ndarray]
"""Clips' numbers [n] -> their emotion vectors [n, e]."""
Fit = Callable[[np.ndarray], Vectors]
"""Which clips it may be made of, bool [clips] -> the map."""

ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Trial:
    """One unseen emotion on one corpus."""

    corpus: str
    emotion: str


UNSEEN = (
    Trial("ravdess", "disgust"),
    Trial("ravdess", "fear"),
    Trial("ravdess", "surprise"),
    Trial("nemo", "fear"),
    Trial("nemo", "surprise"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """UAR in [0, 1], with speakers' means subtracted and plain; by number of enrolled clips."""

    centred: dict[int, float]
    plain: dict[int, float]


def halves(clips: Sequence[Clip], corpus: str, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Random halves of a corpus's speakers as masks (enroll, test), and the same swapped."""
    speakers = np.array([c.speaker for c in clips])
    own = np.array([c.corpus == corpus for c in clips])
    names = np.random.default_rng(seed).permutation(np.unique(speakers[own]))
    one = own & np.isin(speakers, names[: len(names) // 2])
    return [(one, own & ~one), (own & ~one, one)]


def run_trial(
    fit: Fit,
    clips: Sequence[Clip],
    trial: Trial,
    protocol: str,
    seed: int,
    enrolled: Iterable[int] = (10,),
) -> Outcome:
    """Fit the map without the trial's emotion, then verify it on both halves."""
    if protocol not in ("corpus", "speakers"):
        raise ValueError(f"no protocol {protocol}: use corpus or speakers")
    allowed = trainable_clips(clips, frozenset({trial.emotion}))
    own = np.array([c.corpus == trial.corpus for c in clips])
    asked = own & np.array([c.emotion in (trial.emotion, NEUTRAL) for c in clips])
    if not asked.any():
        raise ValueError(f"{trial.corpus} has no {trial.emotion} and no {NEUTRAL}")
    numbers = np.flatnonzero(own)
    rows = [clips[i] for i in numbers.tolist()]
    counts = tuple(enrolled)
    figures: dict[str, list[list[float]]] = {"centred": [], "plain": []}
    vectors_of = fit(allowed & ~own) if protocol == "corpus" else None
    for enrolling, tested in halves(clips, trial.corpus, seed):
        made = vectors_of or fit(allowed & ~tested)
        plain = unit(made(numbers))
        for name, vectors in (("plain", plain), ("centred", centre_speakers(plain, rows))):
            kept = asked[numbers]
            emotional = np.array([c.emotion == trial.emotion for c in rows])[kept]
            enroll, test = (side[numbers][kept] for side in (enrolling, tested))
            rng = np.random.default_rng(seed)
            figures[name].append(
                [
                    verified(unit(vectors[kept]), emotional, enroll, test, count, rng)
                    for count in counts
                ]
            )
    means = {n: dict(zip(counts, np.mean(v, axis=0), strict=True)) for n, v in figures.items()}
    return Outcome(means["centred"], means["plain"])


def verified(
    vectors: np.ndarray,
    emotional: np.ndarray,
    enrolling: np.ndarray,
    tested: np.ndarray,
    enrolled: int,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> float:
    """Mean UAR of ``emotional`` clips against the others, by the nearer prototype in cosine.

    vectors: unit [n, e]; the rest bool [n]. Each round enrolls so many clips of each kind, drawn
    from ``enrolling``, and verifies all of ``tested``.
    """
    recalls = []
    pools = [np.flatnonzero(enrolling & (emotional == kind)) for kind in (True, False)]
    for _ in range(rounds):
        one, other = (
            vectors[rng.choice(pool, min(enrolled, len(pool)), replace=False)].mean(0)
            for pool in pools
        )
        nearer = vectors @ (unit(one) - unit(other)) > 0
        recalls.append(
            (nearer[tested & emotional].mean() + (~nearer)[tested & ~emotional].mean()) / 2
        )
    return float(np.mean(recalls))
