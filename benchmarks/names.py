"""Names before anything is enrolled, and after one to ten clips of each emotion.

    python -m benchmarks.names [--encoder NAME] [--draws 3] [--out FILE.json]

One voice is one profile: its clips are heard, then so many of each of its emotions are enrolled at
random, and the others are named. The prototypes of the population, their weight k0 and thresholds
never had labels of the corpus (`benchmarks.voices`). Unweighted average recall, mean over voices
and draws: of the nearest among the emotions of the corpus; and as the product names them, where all
emotions of the population compete and what is beyond the threshold is unknown: recall of all, and
how many are unknown.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.loop import RESULTS, machine
from benchmarks.voices import CORPORA, Voice, encoder_row, prior_without, vectors_of, voices_of
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.learners.prototypes import NOBODY, Population, Prototype, build_prototypes, verify
from streamer.types import Vector

ENROLLED: Final = (0, 1, 3, 5, 10)
FEWEST_TESTED: Final = 2


def voice_figures(
    voice: Voice, prior: Prior, population: Population, enrolled: int, rng: np.random.Generator
) -> list[float] | None:
    """Recall of the nearest, recall with unknowns, part that is unknown; None for too few clips."""
    emotions = np.array(voice.emotions)
    clips = {str(e): rng.permutation(np.flatnonzero(emotions == e)) for e in np.unique(emotions)}
    if min(map(len, clips.values())) < enrolled + FEWEST_TESTED:
        return None
    usual = RunningNormalization(prior.emotion_mean, np.ones_like(prior.emotion_mean))
    for index in rng.permutation(len(voice)):
        usual.update(voice.vectors[index])
    given = {e: voice.vectors[own[:enrolled]] for e, own in clips.items()} if enrolled else {}
    prototypes = build_prototypes(given, usual.mean, population)
    here = {name: one for name, one in prototypes.items() if name in clips}
    nearest, named, unknown = [], [], []
    for emotion, own in clips.items():
        tested = voice.vectors[own[enrolled:]]
        nearest.append(np.mean([_nearest(row, here, usual.mean) == emotion for row in tested]))
        told = [verify(row, prototypes, usual.mean).emotion for row in tested]
        named.append(np.mean([name == emotion for name in told]))
        unknown.append(np.mean([name is None for name in told]))
    return [float(np.mean(column)) for column in (nearest, named, unknown)]


def _nearest(row: Vector, prototypes: Mapping[str, Prototype], usual: Vector) -> str | None:
    distances = verify(row, prototypes, usual).distances
    return min(distances, key=distances.__getitem__) if distances else None


def corpus_figures(encoder: str, corpus: str, draws: int) -> dict[str, Any]:
    row = encoder_row(encoder)
    clips, embeddings, vectors = vectors_of(row)
    prior = prior_without(row, corpus)
    found: dict[str, Any] = {}
    for kind, population in (("alone", NOBODY), ("population", Population.of(prior))):
        for enrolled in ENROLLED if kind == "population" else ENROLLED[1:]:
            rng = np.random.default_rng(enrolled)
            rows = [
                figures
                for voice in voices_of(clips, embeddings, vectors, corpus)
                for _ in range(draws)
                if (figures := voice_figures(voice, prior, population, enrolled, rng)) is not None
            ]
            if rows:
                mean = np.mean(rows, axis=0).round(3).tolist()
                found.setdefault(kind, {})[str(enrolled)] = dict(
                    zip(("nearest", "named", "unknown"), mean, strict=True)
                )
    emotions = {clip.emotion for clip in clips if clip.corpus == corpus and clip.emotion}
    return {"k0": Population.of(prior).weight, "emotions": len(emotions), **found}


def table(figures: dict[str, Any]) -> str:
    lines = ["| left out | k0 | | " + " | ".join(map(str, ENROLLED)) + " |",
             "|---" * (len(ENROLLED) + 3) + "|"]  # fmt: skip
    for corpus, of in figures["corpora"].items():
        for kind in ("alone", "population"):
            cells = [f"{of[kind][str(n)]['nearest']:.3f}" if str(n) in of[kind] else ""
                     for n in ENROLLED]  # fmt: skip
            head = f"{corpus} ({of['emotions']})" if kind == "alone" else ""
            weight = 0 if kind == "alone" else of["k0"]
            lines.append(f"| {head} | {weight:g} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "names.json")
    options = parser.parse_args()
    figures: dict[str, Any] = {
        "machine": machine(),
        "encoder": encoder_row(options.encoder).name,
        "draws": options.draws,
        "corpora": {c: corpus_figures(options.encoder, c, options.draws) for c in CORPORA},
    }
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))


if __name__ == "__main__":
    main()
