"""Several people: what weighing their labels is worth, and whether disagreement is noise.

    python -m benchmarks.raters [--encoder NAME] [--draws 3] [--out FILE.json]

Sessions: voices of corpora left out (`benchmarks.voices`), 40 answers by two people in turn, a
third of them on the same utterances. One answers with the norm and some noise (deviation 0.2); the
other alike, or noisily (0.6), or at random, or with the scale turned round. RMSE over three
dimensions of utterances that nobody labelled: with the product's weights, with all answers
counting alike, and from the first person's answers alone.

Votes: CREMA-D's, of people who heard the voice alone. Two of a clip's votes are drawn, then one:
the mean squared distance of its norm (valence, arousal) from the mean of the two, where the two
agreed and where they did not.
"""

import argparse
import csv
import gzip
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from benchmarks.voices import Session, encoder_row, prior_without, sessions, vectors_of, voices_of
from streamer.learners.affect import AffectLearner
from streamer.learners.prior import Prior
from streamer.learners.raters import RaterWeights
from streamer.learners.scale import squash
from streamer.training.export.prior import norm_of
from streamer.types import Label, Vector

CORPORA: Final = ("emovo", "nemo", "turev", "savee")
NOISE: Final = 0.2
SECOND: Final = ("alike", "noisy", "random", "turned")
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


def vote_figures(seed: int = 0) -> dict[str, Any]:
    """Skipped, saying why, where the votes are not beside the project."""
    if not VOTES.is_file():
        return {"skipped": f"{VOTES} is not there"}
    norms = np.array([norm_of(name) for name in VOTED.values()])[:, :2]
    rng, agreed, apart = np.random.default_rng(seed), [], []
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
    near, far = np.array(agreed)[:, 1].mean(), np.array(apart)[:, 1].mean()
    rms = float(np.sqrt((np.array(apart)[:, 0] ** 2).mean()))
    return {
        "clips": len(agreed) + len(apart),
        "third vote's squared distance where two agreed": round(float(near), 3),
        "where they did not": round(float(far), 3),
        "their distance then, root mean square": round(rms, 3),
        "distance at which the noise doubles": round(rms / float(np.sqrt(far / near - 1.0)), 3),
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
        "votes": vote_figures(),
    }
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
