"""What an encoder is worth: linear probes, new emotions, cold valence and arousal.

    python -m benchmarks.encoder --speech SPEECH [--encoders NAME ...] [--teachers FILE.npz:2 ...]

SPEECH holds the packed corpora. Rows: encoders of the manifest; with --teachers, a block of a
Whisper encoder (mean and deviation of its frames), by the same probes. No label that is probed
shaped an `embedding`; which corpora an encoder heard, without labels, is in its manifest row. EMOVO
and SAVEE were heard by none. `emotion` did see these emotions: what it is worth where it did not is
in `python -m benchmarks.verification`.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.loop import RESULTS, machine
from streamer.config import Config
from streamer.encoders.registry import find_encoder
from streamer.training.data.speech import Clip, read_clips, read_rows
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

ENCODERS = ("streamer-wav2vec2", "streamer-small")
NEVER_HEARD = ("emovo", "savee")
PROBED = (*NEVER_HEARD, "ravdess", "nemo", "turev", "urdu", "kor_emotts")
COLD = (*NEVER_HEARD, "ravdess", "nemo", "turev")
Vectors = tuple[list[Clip], np.ndarray, np.ndarray]


def of_encoder(name: str, speech: Path) -> Vectors:
    row = find_encoder(name, Config().models)
    return embed_corpora(open_encoder(row.path), speech, frozenset((*PROBED, "tess")))


@torch.no_grad()
def of_teacher(weights: Path, block: int, speech: Path) -> Vectors:
    """Mean and deviation over time, standardized over all clips; `emotion` is the same vector."""
    teacher, front, clips, rows = WhisperTeacher(weights, block), LogMel(), [], []
    others = frozenset(clip.corpus for clip in read_rows(speech)) - frozenset(PROBED)
    for clip, audio in read_clips(speech, others):
        if clip.emotion:
            even = len(audio) // 320 * 320
            mel = front(torch.from_numpy(audio[:even])[None])[0, : even // 160]
            with torch.autocast("cpu", torch.bfloat16):
                frames = teacher(mel)[block - 1].float().numpy()
            clips.append(clip)
            rows.append(np.concatenate([frames.mean(0), frames.std(0)]))
    vectors = np.array(rows)
    vectors = (vectors - vectors.mean(0)) / vectors.std(0)
    return clips, vectors, vectors


def probes(vectors: Vectors, corpora: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """(name of the figure, its value)."""
    clips, embeddings, emotions = vectors
    kinds: tuple[tuple[str, Callable[..., object]], ...] = (
        ("logistic", lambda: logistic(0.01)),
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


def means(figures: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Of the corpora that no encoder heard."""
    for kind in ("logistic", "logistic, speakers standardized"):
        values = [figures[f"{corpus} {kind}"] for corpus in NEVER_HEARD]
        yield f"mean of those never heard, {kind}", float(np.mean(values))


def cold(vectors: Vectors, corpora: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    for corpus in corpora:
        found = cold_concordance(vectors[1], vectors[0], corpus, PRIOR_PENALTY)
        for dimension, value in found.items():
            yield f"{corpus} cold {dimension} CCC", value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS), metavar="NAME")
    parser.add_argument("--teachers", nargs="*", default=[], metavar="FILE.npz:BLOCK")
    parser.add_argument("--out", type=Path, default=RESULTS / "encoder.json")
    args = parser.parse_args()

    table: dict[str, dict[str, float]] = {}

    def keep(row: str, figures: Iterator[tuple[str, float]]) -> None:
        for name, value in figures:
            table.setdefault(row, {})[name] = round(value, 3)
            print(f"{row:20} {name:50} {value:.3f}", flush=True)

    for name in args.encoders:
        vectors = of_encoder(name, args.speech)
        keep(name, probes(vectors, PROBED))
        keep(name, means(table[name]))
        keep(name, cold(vectors, COLD))
    for given in args.teachers:
        weights, _, block = given.rpartition(":")
        name = f"{Path(weights).stem}, block {block}"
        keep(name, probes(of_teacher(Path(weights), int(block), args.speech), PROBED))
        keep(name, means(table[name]))
    args.out.write_text(json.dumps({"machine": machine(), "figures": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
