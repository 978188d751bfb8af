"""Emotions that are not enrolled: how often they are called by an enrolled name.

    python -m benchmarks.unenrolled [--encoder NAME] [--enrolled 10] [--out FILE.json]

Voices of EMOVO, nEMO, TurEV, RAVDESS and SAVEE in ../shared with at least four emotions, of each
at least `--enrolled` and two clips. One voice is one profile: its clips are heard, one emotion is
left out, `--enrolled` clips of each of the others are enrolled, and the rest is named; so for each
of its emotions. The population never had labels of the corpus (`benchmarks.voices`).

unenrolled: clips of the emotion left out that get an enrolled name; right, wrong: clips of the
enrolled emotions that get their own, another enrolled name; eer: the mean equal error rate, as
`streamer emotions` tells it. before: without the population's prototypes as impostors
(`prototypes.COHORT` is 0).
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.loop import RESULTS, machine
from benchmarks.voices import Voice, encoder_row, prior_without, vectors_of, voices_of
from streamer.learners import prototypes as rule
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.learners.prototypes import Population, build_prototypes, verify

CORPORA: Final = ("emovo", "nemo", "turev", "ravdess", "savee")
FIGURES: Final = ("unenrolled", "right", "wrong", "eer")
FEWEST_EMOTIONS, FEWEST_TESTED, MOST_CLIPS = 4, 2, 60


def voice_figures(
    voice: Voice, prior: Prior, enrolled: int, rng: np.random.Generator
) -> list[list[float]]:
    """`FIGURES` with each emotion left out; empty for a voice with too few clips."""
    emotions = np.array(voice.emotions)
    clips = {
        str(name): rng.permutation(np.flatnonzero(emotions == name))[:MOST_CLIPS]
        for name in np.unique(emotions)
    }
    if len(clips) < FEWEST_EMOTIONS or min(map(len, clips.values())) < enrolled + FEWEST_TESTED:
        return []
    usual = RunningNormalization(prior.emotion_mean, np.ones_like(prior.emotion_mean))
    for index in rng.permutation(len(voice)):
        usual.update(voice.vectors[index])
    rows = []
    for left_out in clips:
        others = {name: own for name, own in clips.items() if name != left_out}
        given = {name: voice.vectors[own[:enrolled]] for name, own in others.items()}
        prototypes = build_prototypes(given, usual.mean, Population.of(prior))
        told = {
            name: [
                verdict.emotion if verdict.own else None
                for row in voice.vectors[own if name == left_out else own[enrolled:]]
                for verdict in [verify(row, prototypes, usual.mean)]
            ]
            for name, own in clips.items()
        }
        right = [np.mean([one == name for one in told[name]]) for name in others]
        named = [np.mean([one is not None for one in told[name]]) for name in others]
        eers = [one.eer for one in prototypes.values() if one.eer is not None]
        taken = np.mean([one is not None for one in told[left_out]])
        rows.append([float(value) for value in (
            taken, np.mean(right), np.mean(named) - np.mean(right), np.mean(eers))])  # fmt: skip
    return rows


def corpus_figures(encoder: str, corpus: str, enrolled: int) -> dict[str, Any] | None:
    row = encoder_row(encoder)
    clips, embeddings, vectors = vectors_of(row)
    prior, rng = prior_without(row, corpus), np.random.default_rng(enrolled)
    voices = voices_of(clips, embeddings, vectors, corpus)
    found = [rows for voice in voices if (rows := voice_figures(voice, prior, enrolled, rng))]
    if not found:
        return None
    mean = np.mean([row for rows in found for row in rows], axis=0).round(3).tolist()
    return {"voices": len(found), **dict(zip(FIGURES, mean, strict=True))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--enrolled", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--out", type=Path, default=RESULTS / "unenrolled.json")
    options = parser.parse_args()
    usual = rule.COHORT
    found: dict[str, Any] = {}
    for enrolled in options.enrolled:
        for when, cohort in (("before", 0.0), ("after", usual)):
            rule.COHORT = cohort  # type: ignore[misc]
            for corpus in CORPORA:
                figures = corpus_figures(options.encoder, corpus, enrolled)
                if figures is not None:
                    found.setdefault(str(enrolled), {}).setdefault(corpus, {})[when] = figures
                    print(enrolled, corpus, when, figures, flush=True)
    name = encoder_row(options.encoder).name
    result = {"machine": machine(), "encoder": name, "enrolled": found}
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
