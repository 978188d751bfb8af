"""What the encoder is worth: linear probes, new emotions, cold valence and arousal.

    python -m benchmarks.encoder --speech SPEECH [--left-out OTHER.onnx] [--teacher WEIGHTS.npz]

SPEECH holds the packed corpora. Rows: the shipped encoder; with --left-out, an encoder that was
trained without nEMO and TurEV-DB, on those two; with --teacher, block 2 of Whisper tiny.en (mean
and deviation of its frames), by the same probes. The first two rows heard RAVDESS and URDU, without
their labels: none of the labels that are probed shaped an `embedding`. The shipped `emotion` did
see these emotions; what it is worth where it did not is in `python -m benchmarks.verification`.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.loop import RESULTS, machine
from streamer.training.data.speech import Clip, read_clips
from streamer.training.data.teacher import WhisperTeacher
from streamer.training.export.measure import (
    FOLDS,
    PRIOR_PENALTY,
    UNSEEN,
    embed_corpora,
    open_encoder,
)
from streamer.training.export.prior import cold_concordance
from streamer.training.export.probe import (
    centre_speakers,
    logistic,
    probe_uar,
    ridge_classifier,
    standardize_speakers,
    verify_uar,
)
from streamer.training.student.logmel import LogMel

SHIPPED = Path(__file__).parent.parent / "models" / "streamer-small.onnx"
PROBED = ("ravdess", "urdu", "nemo", "turev")
UNHEARD = ("nemo", "turev")
TEACHER_BLOCK = 2
Vectors = tuple[list[Clip], np.ndarray, np.ndarray]


def of_encoder(path: Path, speech: Path) -> Vectors:
    return embed_corpora(open_encoder(path), speech, frozenset((*PROBED, "tess")))


@torch.no_grad()
def of_teacher(weights: Path, speech: Path) -> Vectors:
    """Mean and deviation over time, standardized over all clips; `emotion` is the same vector."""
    teacher, front, clips, rows = WhisperTeacher(weights, TEACHER_BLOCK), LogMel(), [], []
    for clip, audio in read_clips(speech):
        if clip.corpus in PROBED and clip.emotion:
            even = len(audio) // 320 * 320
            mel = front(torch.from_numpy(audio[:even])[None])[0, : even // 160]
            frames = teacher(mel)[TEACHER_BLOCK - 1].numpy()
            clips.append(clip)
            rows.append(np.concatenate([frames.mean(0), frames.std(0)]))
    vectors = np.array(rows)
    vectors = (vectors - vectors.mean(0)) / vectors.std(0)
    return clips, vectors, vectors


def probes(vectors: Vectors, corpora: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """(name of the figure, its value)."""
    clips, embeddings, emotions = vectors
    kinds: tuple[tuple[str, Callable[..., object]], ...] = (
        ("logistic", logistic),
        ("ridge", ridge_classifier),
    )
    for corpus in corpora:
        own = np.array([c.corpus == corpus for c in clips])
        rows = [c for c, keep in zip(clips, own, strict=True) if keep]
        whitened = standardize_speakers(embeddings[own], rows)
        for kind, make in kinds:
            yield f"{corpus} {kind}", probe_uar(embeddings[own], rows, FOLDS[corpus], make)
            if corpus != "urdu":  # nearly every speaker there has one emotion
                value = probe_uar(whitened, rows, FOLDS[corpus], make)
                yield f"{corpus} {kind}, speakers standardized", value
        if corpus not in ("ravdess", "nemo"):
            continue
        centred = centre_speakers(emotions[own], rows)
        for emotion in (e for e in UNSEEN if e in {c.emotion for c in rows}):
            for name, used in (("plain", emotions[own]), ("centred", centred)):
                value = verify_uar(used, rows, emotion, 10, np.random.default_rng(0))
                yield f"{corpus} {emotion} against neutral, {name}", value


def cold(vectors: Vectors, corpora: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    for corpus in corpora:
        found = cold_concordance(vectors[1], vectors[0], corpus, PRIOR_PENALTY)
        for dimension, value in found.items():
            yield f"{corpus} cold {dimension} CCC", value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, default=SHIPPED)
    parser.add_argument("--left-out", type=Path)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS / "encoder.json")
    args = parser.parse_args()

    table: dict[str, dict[str, float]] = {}

    def keep(row: str, figures: Iterator[tuple[str, float]]) -> None:
        for name, value in figures:
            table.setdefault(row, {})[name] = round(value, 3)
            print(f"{row:20} {name:50} {value:.3f}", flush=True)

    vectors = of_encoder(args.encoder, args.speech)
    keep("shipped", probes(vectors, PROBED))
    keep("shipped", cold(vectors, ("ravdess", "nemo", "turev")))
    if args.left_out:
        vectors = of_encoder(args.left_out, args.speech)
        keep("corpus left out", probes(vectors, UNHEARD))
        keep("corpus left out", cold(vectors, UNHEARD))
    if args.teacher:
        keep("teacher", probes(of_teacher(args.teacher, args.speech), PROBED))
    args.out.write_text(json.dumps({"machine": machine(), "figures": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
