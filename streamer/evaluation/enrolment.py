"""Enroll, then verify: how well a few clips of each emotion tell a voice's others apart.

As `streamer enroll` and `streamer verify` do it (Li and Lee, section 3), without the population's
prototypes, which may have been fitted to the corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.evaluation.corpus import Corpus, Features
from streamer.evaluation.metrics import uar
from streamer.learners.prototypes import build_prototypes, calibrate, cosine_distance
from streamer.types import Matrix

ENROLLED: Final = (1, 3, 5, 10)
# With fewer of an emotion left to verify, its recall is a matter of chance.
_FEWEST_VERIFIED: Final = 2
_DRAWS: Final = 5


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """After `enrolled` clips of each emotion, the mean over `speakers`.

    uar: of the nearest prototype, in [0, 1]; deviation: of the speakers' recalls; chance: one over
    their number of emotions; eer: the equal error rate of accepting an emotion, in [0, 1].
    """

    enrolled: int
    speakers: int
    uar: float
    deviation: float
    chance: float
    eer: float


def enroll_and_verify(
    corpus: Corpus, vectors: Features, emotions: Sequence[str | None], seed: int = 0
) -> list[EnrolmentResult]:
    """One result for each of `ENROLLED` that some speaker has enough clips for.

    Parameters
    ----------
    corpus
        Its clips' speakers are used; those without one are left out.
    vectors
        The encoder's emotion vectors, float32 [clips, e].
    emotions
        [clips]; None is left out.
    seed
        Of the draw of enrolled clips; each speaker's are drawn five times.
    """
    speakers = np.array([clip.speaker for clip in corpus.clips])
    names = np.array([name or "" for name in emotions])
    results = []
    for count in ENROLLED:
        rows = []
        for number, speaker in enumerate(corpus.speakers):
            own = speakers == speaker
            rng = np.random.default_rng((seed, number, count))
            row = _one_voice(vectors[own].astype(np.float64), names[own], count, rng)
            if row is not None:
                rows.append(row)
        if rows:
            mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
            results.append(
                EnrolmentResult(
                    count, len(rows), float(mean[0]), float(deviation[0]), float(mean[1]),
                    float(mean[2]),
                )
            )  # fmt: skip
    return results


def _one_voice(
    vectors: Matrix, names: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[float, float, float] | None:
    """Recall, chance and equal error rate; None with fewer than two emotions to tell apart."""
    usual = vectors.mean(axis=0)  # without labels, as a profile's running mean
    places = {str(name): np.flatnonzero(names == name) for name in np.unique(names) if name}
    places = {n: own for n, own in places.items() if len(own) >= count + _FEWEST_VERIFIED}
    if len(places) < 2:
        return None
    found = []
    for _ in range(_DRAWS):
        drawn = {name: rng.permutation(own) for name, own in places.items()}
        enrolled = {name: vectors[own[:count]] for name, own in drawn.items()}
        prototypes = build_prototypes(enrolled, usual)
        rest = np.concatenate([own[count:] for own in drawn.values()])
        truth = np.repeat(np.arange(len(drawn)), [len(own) - count for own in drawn.values()])
        distances = np.stack(
            [cosine_distance(vectors[rest] - usual, prototypes[name].mean) for name in drawn],
            axis=1,
        )
        rates = []
        for column in range(len(drawn)):
            genuine = truth == column
            _, rate = calibrate(distances[genuine, column], distances[~genuine, column])
            rates.append(float("nan") if rate is None else rate)
        found.append((uar(distances.argmin(axis=1), truth), 1.0 / len(drawn), np.mean(rates)))
    recall, chance, eer = np.mean(np.array(found, np.float64), axis=0)
    return float(recall), float(chance), float(eer)
