"""Several people: what weighing their labels is worth, and whether disagreement is noise.

    python -m benchmarks.raters [--encoder NAME] [--draws 3] [--out FILE.json]

Sessions: voices of corpora left out (`benchmarks.voices`), 40 answers by two people in turn, a
third of them on the same utterances. One answers with the norm and some noise (deviation 0.2); the
other alike, or noisily (0.6), or at random, or with the scale turned round. RMSE over three
dimensions of utterances that nobody labelled: with the product's weights, with all answers
counting alike, and from the first person's answers alone.

"nested": the constants of `learners.raters`, chosen for each corpus on the other three by the mean
error over all kinds of second person, and what they and the shipped ones do on it.

Votes: CREMA-D's, of people who heard the voice alone. Two of a clip's votes are drawn, then one:
the mean squared distance of its norm (valence, arousal) from the mean of the two, where the two
agreed and where they did not. The distance at which that doubles is fitted on the clips of half of
the actors and tested on the others': the log density of the third vote, normal around the two's
mean with that variance, less the log density with one variance for all. Who voted is not in the
data, so raters cannot be halved.
"""

import argparse
import csv
import gzip
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from benchmarks.voices import Session, encoder_row, prior_without, sessions, vectors_of, voices_of
from streamer.learners import raters as weighing
from streamer.learners.affect import AffectLearner
from streamer.learners.prior import Prior
from streamer.learners.raters import RaterWeights
from streamer.learners.scale import squash
from streamer.training.export.prior import norm_of
from streamer.types import Label, Vector

CORPORA: Final = ("emovo", "nemo", "turev", "savee")
NOISE: Final = 0.2
SECOND: Final = ("alike", "noisy", "random", "turned")
GOODWILLS: Final = (1.0, 2.0, 4.0)
SHARPNESSES: Final = (2.0, 3.0, 4.0)
HALVES: Final = 20
VOTES: Final = SHARED / "labels" / "cremad_votes.csv.gz"
VOTED: Final = {
    "A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness",
}  # fmt: skip


def answer_of(kind: str, truth: Vector, rng: np.random.Generator) -> Vector:
    if kind == "random":
        return rng.uniform(-1.0, 1.0, 3)
    noise = (0.6 if kind == "noisy" else NOISE) * rng.normal(size=3)
    return np.clip((-truth if kind == "turned" else truth) + noise, -1.0, 1.0)


def answers(session: Session, kind: str, seed: int) -> list[Label]:
    """40, by "first" and "second" in turn; every third utterance has one of each."""
    rng, given = np.random.default_rng(seed), []
    for number, index in enumerate(session.pool):
        who = ("first", "second")[number % 2]
        both = ("first", "second") if number % 3 == 0 else (who,)
        for person in both:
            sort = "alike" if person == "first" else kind
            values = answer_of(sort, session.voice.affect[index], rng)
            given.append(Label(int(index), *map(float, values), emotion=None, annotator=person))
    return given[:40]


def error(prior: Prior, session: Session, labels: list[Label], way: str) -> tuple[float, float]:
    """RMSE on the test, and the second person's weight at the end."""
    learner, raters = AffectLearner(prior), RaterWeights()
    seen: set[int] = set()
    for label in labels:
        if way == "first alone" and label.annotator != "first":
            continue
        row = session.features[label.utterance]
        weight = raters.weigh(label, squash(prior.expect(row[np.newaxis])[0][0]))
        first = label.utterance not in seen
        seen.add(label.utterance)
        learner.learn(row, label, first=first, weight=1.0 if way == "alike" else weight)
    said = learner.means(session.features[session.test])
    missed = said - session.voice.affect[session.test]
    second = raters.raters().get("second")
    return float(np.sqrt((missed**2).mean())), 1.0 if second is None else second.weight


def session_figures(encoder: str, draws: int) -> dict[str, Any]:
    row = encoder_row(encoder)
    clips, embeddings, vectors = vectors_of(row)
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in SECOND}
    for corpus in CORPORA:
        prior = prior_without(row, corpus)
        for number, voice in enumerate(voices_of(clips, embeddings, vectors, corpus)):
            for seed, session in enumerate(sessions(voice, prior, draws, number)):
                for kind in SECOND:
                    labels = answers(session, kind, seed)
                    for way in ("weighed", "alike", "first alone"):
                        rmse, weight = error(prior, session, labels, way)
                        found[kind].setdefault(way, []).append(rmse)
                        if way == "weighed":
                            found[kind].setdefault("weight of the second", []).append(weight)
    return {
        kind: {way: round(float(np.mean(of)), 3) for way, of in ways.items()}
        for kind, ways in found.items()
    }


def nested_figures(encoder: str, draws: int) -> dict[str, Any]:
    """By corpus: the constants chosen on the others, and the error with them and as shipped."""
    row = encoder_row(encoder)
    clips, embeddings, vectors = vectors_of(row)
    errors: dict[str, dict[tuple[float, float], float]] = {}
    for corpus in CORPORA:
        prior, of = prior_without(row, corpus), voices_of(clips, embeddings, vectors, corpus)
        errors[corpus] = {}
        for constants in product(GOODWILLS, SHARPNESSES):
            found = []
            with (
                patch.object(weighing, "GOODWILL", constants[0]),
                patch.object(weighing, "SHARPNESS", constants[1]),
            ):
                for number, voice in enumerate(of):
                    for seed, session in enumerate(sessions(voice, prior, draws, number)):
                        for kind in SECOND:
                            labels = answers(session, kind, seed)
                            found.append(error(prior, session, labels, "weighed")[0])
            errors[corpus][constants] = float(np.mean(found))
    shipped = (weighing.GOODWILL, weighing.SHARPNESS)

    def best(corpora: Sequence[str]) -> tuple[float, float]:
        return min(
            errors[corpora[0]], key=lambda one: sum(errors[corpus][one] for corpus in corpora)
        )

    rows: dict[str, Any] = {}
    for corpus in CORPORA:
        chosen = best([name for name in CORPORA if name != corpus])
        rows[corpus] = {
            "goodwill, sharpness": chosen,
            "rmse": round(errors[corpus][chosen], 4),
            "rmse as shipped": round(errors[corpus][shipped], 4),
        }
    means = {
        f"{goodwill:g}, {sharpness:g}": round(
            float(np.mean([errors[corpus][goodwill, sharpness] for corpus in CORPORA])), 4
        )
        for goodwill, sharpness in product(GOODWILLS, SHARPNESSES)
    }
    return {"shipped": shipped, "on all": best(CORPORA), "corpora": rows, "mean rmse": means}


def doubling_distance(distance: Vector, square: Vector) -> float:
    """The distance of two votes at which the third's squared distance doubles."""
    near, far = square[distance == 0.0].mean(), square[distance > 0.0].mean()
    rms = np.sqrt((distance[distance > 0.0] ** 2).mean())
    return float(rms / np.sqrt(far / near - 1.0))


def held_out_votes(actors: np.ndarray, distance: Vector, square: Vector) -> dict[str, Any]:
    """See the module: `HALVES` random halves of the actors, each half tested with the other's."""
    rng, gains, distances = np.random.default_rng(0), [], []
    names = np.unique(actors)
    for _ in range(HALVES):
        half = np.isin(actors, rng.permutation(names)[: len(names) // 2])
        for fitted in (half, ~half):
            doubling = doubling_distance(distance[fitted], square[fitted])
            scale = 1.0 + (distance / doubling) ** 2
            # Of both dimensions: -log s2 - (x2 + y2) / (2 s2), and `square` is (x2 + y2) / 2.
            variance = (square[fitted] / scale[fitted]).mean() * scale[~fitted]
            alike = square[fitted].mean()
            own = square[~fitted]
            density = -np.log(variance) - own / variance
            gains.append(float((density + np.log(alike) + own / alike).mean()))
            distances.append(doubling)
    return {
        "halves": HALVES,
        "distance, least and most": [round(min(distances), 3), round(max(distances), 3)],
        "log density gained a vote, nats": round(float(np.mean(gains)), 4),
        "halves in which it gained": round(float((np.array(gains) > 0).mean()), 2),
    }


def vote_figures(seed: int = 0) -> dict[str, Any]:
    """Skipped, saying why, where the votes are not beside the project."""
    if not VOTES.is_file():
        return {"skipped": f"{VOTES} is not there"}
    norms = np.array([norm_of(name) for name in VOTED.values()])[:, :2]
    rng, agreed, apart, actors = np.random.default_rng(seed), [], [], []
    rows: list[tuple[float, float]] = []
    with gzip.open(VOTES, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["modality"] != "voice":
                continue
            votes = np.repeat(np.arange(len(VOTED)), [int(row[letter]) for letter in VOTED])
            if len(votes) < 3:
                continue
            one, two, three = norms[rng.permutation(votes)[:3]]
            square = float(((three - (one + two) / 2) ** 2).mean())
            distance = float(np.abs(one - two).mean())
            (agreed if distance == 0.0 else apart).append((distance, square))
            rows.append((distance, square))
            actors.append(row["clip"].split("_")[0])
    near, far = np.array(agreed)[:, 1].mean(), np.array(apart)[:, 1].mean()
    rms = float(np.sqrt((np.array(apart)[:, 0] ** 2).mean()))
    return {
        "clips": len(agreed) + len(apart),
        "third vote's squared distance where two agreed": round(float(near), 3),
        "where they did not": round(float(far), 3),
        "their distance then, root mean square": round(rms, 3),
        "distance at which the noise doubles": round(rms / float(np.sqrt(far / near - 1.0)), 3),
        "held out": held_out_votes(np.array(actors), *np.array(rows).T),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "raters.json")
    options = parser.parse_args()
    figures = {
        "machine": machine(),
        "draws": options.draws,
        "sessions": session_figures(options.encoder, options.draws),
        "nested": nested_figures(options.encoder, options.draws),
        "votes": vote_figures(),
    }
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
