"""What an encoder is worth on corpora whose labels it never had.

    python -m benchmarks.encoder_left_out --speech SPEECH [--out FILE.json]

Labels of other corpora shape the map from pooled values to `embedding` (its emphasis), and those of
EMOVO and SAVEE do not. Here the map of the default encoder is fitted again for each labelled corpus
without its labels, by the recipe that made the file that ships, from the pooled values of the same
network; then come the probes of `benchmarks.encoder` and the cold start by the product's prior,
which has not had that corpus's labels either. Beside it, with the same clips and priors, the former
default, whose `embedding` no label shaped. Both networks heard the corpora's sound without labels,
but EMOVO's and SAVEE's.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from benchmarks.loop import RESULTS, machine
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder
from streamer.training.data.speech import Clip, read_clips
from streamer.training.export.measure import FOLDS
from streamer.training.export.prior import fit_expectation, labelled_clips
from streamer.training.export.probe import (
    concordance,
    logistic,
    probe_uar,
    ridge_classifier,
    standardize_speakers,
)
from streamer.training.export.publish import Projections, fit_to_embedding
from streamer.training.tune.tunable import TunableStudent

NEVER_HEARD = frozenset({"emovo", "savee"})
PROBED = ("emovo", "savee", "nemo", "ravdess", "turev", "kor_emotts", "emospeech_in")
ENCODER, FORMER = "streamer-wav2vec2", "streamer-small"
PENALTY = 0.001  # of the prior's expectation: what both shipped priors have
LABELLED, OTHERS = 800, 120  # clips of a corpus, at most, that a map is fitted to


def chosen(speech: Path) -> tuple[list[Clip], np.ndarray, np.ndarray]:
    """Clips, the default's pooled values [clips, n], the former's embeddings [clips, d].

    All labelled clips of what is probed, and of the other corpora as many as a map is fitted to.
    """
    student = TunableStudent.from_onnx(find_encoder(ENCODER).path)
    former, counts = OnnxEncoder(find_encoder(FORMER)), dict[str, int]()
    clips, raw, embeddings = [], [], []
    for clip, audio in read_clips(speech):
        whole = clip.corpus in PROBED and bool(clip.emotion)
        kind = f"{clip.corpus} {bool(clip.emotion)}"
        counts[kind] = counts.get(kind, 0) + 1
        if not whole and counts[kind] > (LABELLED if clip.emotion else OTHERS):
            continue
        with torch.no_grad():
            heard = torch.from_numpy(audio)[None]
            raw.append(student.embedder.raw(heard, torch.tensor([len(audio)]))[0].numpy())
        clips.append(clip)
        embeddings.append(former.encode(audio)[0] if clip.emotion else np.zeros(256, np.float32))
    return clips, np.array(raw), np.array(embeddings)


def fitted_to(clips: list[Clip]) -> np.ndarray:
    """The clips that a map is fitted to, bool [clips]: none of those that no map has heard."""
    rng, kept = np.random.default_rng(0), np.zeros(len(clips), bool)
    for corpus in {c.corpus for c in clips} - NEVER_HEARD:
        own = np.array([i for i, c in enumerate(clips) if c.corpus == corpus])
        labelled = np.array([bool(clips[i].emotion) for i in own])
        kept[rng.permutation(own[labelled])[:LABELLED]] = True
        kept[own[~labelled][:OTHERS]] = True
    return kept


def probes(vectors: np.ndarray, clips: list[Clip]) -> dict[str, float]:
    """UAR of both classifiers, plain and standardized by speaker."""
    folds, own = FOLDS.get(clips[0].corpus, 5), standardize_speakers(vectors, clips)
    return {
        f"{kind}{suffix}": probe_uar(each, clips, folds, make)
        for kind, make in (("logistic", lambda: logistic(0.01)), ("ridge", ridge_classifier))
        for suffix, each in (("", vectors), (", standardized", own))
    }


def cold(vectors: np.ndarray, clips: list[Clip], corpus: str) -> dict[str, float]:
    """The product's expectation before any label, fitted to all other corpora."""
    known = labelled_clips(vectors, clips)
    own = known.corpora == corpus
    answer = fit_expectation(known.of(~own), PENALTY)(known.x[own])
    truth = known.y[own]
    return {
        "cold valence CCC": concordance(truth[:, 0], answer[:, 0]),
        "cold arousal CCC": concordance(truth[:, 1], answer[:, 1]),
        "cold RMSE": float(np.sqrt(((answer - truth) ** 2).mean())),
    }


def figures(speech: Path) -> dict[str, dict[str, dict[str, float]]]:
    clips, raw, former = chosen(speech)
    fitted = fitted_to(clips)
    rows = [c for c, keep in zip(clips, fitted, strict=True) if keep]
    labelled = np.array([bool(c.emotion) for c in clips])
    names = [c for c, keep in zip(clips, labelled, strict=True) if keep]
    found: dict[str, dict[str, dict[str, float]]] = {ENCODER: {}, FORMER: {}}
    for corpus in PROBED:
        affine = fit_to_embedding(raw[fitted], rows, Projections(), frozenset({corpus}))
        own = np.array([c.corpus == corpus for c in names])
        mine = [c for c in names if c.corpus == corpus]
        for name, vectors in ((ENCODER, affine(raw[labelled])), (FORMER, former[labelled])):
            values = probes(vectors[own], mine) | cold(vectors, names, corpus)
            found[name][corpus] = {key: round(value, 3) for key, value in values.items()}
            print(name, corpus, json.dumps(found[name][corpus]), flush=True)
    for name, by_corpus in found.items():
        kinds = next(iter(by_corpus.values()))
        found[name]["mean"] = {
            kind: round(float(np.mean([by_corpus[c][kind] for c in PROBED])), 3) for kind in kinds
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=RESULTS / "encoder_left_out.json")
    options = parser.parse_args()
    found = figures(options.speech)
    print("mean", json.dumps({name: rows["mean"] for name, rows in found.items()}))
    options.out.write_text(json.dumps({"machine": machine(), "figures": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
