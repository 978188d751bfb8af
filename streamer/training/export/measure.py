"""Evaluate an exported ONNX encoder on the audio of packed corpora."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime

from streamer.learners.affective_norms import affective_norm
from streamer.training.data.speech import RATE_HZ, Clip, read_clips, read_rows
from streamer.training.export.prior import cold_concordance
from streamer.training.export.probe import (
    NEUTRAL,
    centre_speakers,
    probe_uar,
    standardize_speakers,
    unit,
    verify_uar,
)

FOLDS = {
    "ravdess": 6, "urdu": 5, "nemo": 9, "turev": 6, "baved": 6, "emovo": 6, "savee": 4,
    "kor_emotts": 5,
}  # fmt: skip
UNSEEN = ("disgust", "fear", "surprise")
ENROLLED = 10
PRIOR_PENALTY = 0.001


def open_encoder(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session on the CPU with so many threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def embed_corpora(
    encoder: onnxruntime.InferenceSession,
    speech: Path,
    corpora: frozenset[str],
    *,
    unit_length: bool = True,
) -> tuple[list[Clip], np.ndarray, np.ndarray]:
    """Clips with an emotion, their embeddings [clips, d] and emotion vectors [clips, e].

    unit_length: whether the graph normalizes its emotion vectors; else they are normalized here.
    """
    clips, embeddings, emotions = [], [], []
    others = frozenset(clip.corpus for clip in read_rows(speech)) - corpora
    for clip, audio in read_clips(speech, skip=others):
        if clip.emotion:
            embedding, emotion = encoder.run(["embedding", "emotion"], {"audio": audio[None]})
            clips.append(clip)
            embeddings.append(embedding[0])
            emotions.append(emotion[0])
    if not clips:
        raise ValueError(f"no labelled clips of {', '.join(sorted(corpora))} in {speech}")
    vectors = np.array(emotions)
    return clips, np.array(embeddings), vectors if unit_length else unit(vectors)


def latency_ms(encoder: onnxruntime.InferenceSession, seconds: float, runs: int = 50) -> float:
    """Median time of one utterance of so many seconds, in ms."""
    rng, times = np.random.default_rng(0), []
    audio = rng.normal(0.0, 0.1, (1, round(seconds * RATE_HZ))).astype(np.float32)
    for _ in range(runs):
        began_s = time.perf_counter()
        encoder.run(None, {"audio": audio})
        times.append(time.perf_counter() - began_s)
    return 1000.0 * float(np.median(times))


def measure(
    encoder: onnxruntime.InferenceSession, speech: Path, corpora: frozenset[str]
) -> Iterator[dict[str, object]]:
    """One row per metric: name, corpus, value, and its parameters."""
    yield {"figure": "latency_ms", "seconds": 3.0, "value": round(latency_ms(encoder, 3.0), 2)}
    clips, embeddings, emotions = embed_corpora(encoder, speech, corpora)
    for corpus in sorted(corpora):
        own = np.array([c.corpus == corpus for c in clips])
        rows = [c for c, keep in zip(clips, own, strict=True) if keep]
        yield from _measure_corpus(corpus, rows, embeddings[own], emotions[own])
        if (
            len(corpora) > 1
            and any(affective_norm(c.emotion) is not None for c in rows)
            and corpus != "urdu"
        ):
            cold = cold_concordance(embeddings, clips, corpus, PRIOR_PENALTY)
            for dimension, value in cold.items():
                yield {
                    "figure": f"cold_{dimension}_ccc",
                    "corpus": corpus,
                    "value": round(value, 3),
                }


def _measure_corpus(
    corpus: str, rows: list[Clip], embeddings: np.ndarray, emotions: np.ndarray
) -> Iterator[dict[str, object]]:
    folds = FOLDS.get(corpus, 5)
    probed = {"plain": embeddings}
    if corpus != "urdu":
        probed["speaker-standardized"] = standardize_speakers(embeddings, rows)
    for name, vectors in probed.items():
        value = round(probe_uar(vectors, rows, folds), 3)
        yield {"figure": "probe_uar", "corpus": corpus, "vectors": name, "value": value}
    heard = {c.emotion for c in rows}
    if NEUTRAL not in heard or corpus in ("urdu", "baved"):
        return
    for name, vectors in (
        ("plain", emotions),
        ("speaker-centred", centre_speakers(emotions, rows)),
    ):
        for emotion in (e for e in UNSEEN if e in heard):
            value = verify_uar(vectors, rows, emotion, ENROLLED, np.random.default_rng(0))
            yield {
                "figure": "verify_uar",
                "corpus": corpus,
                "emotion": emotion,
                "vectors": name,
                "value": round(value, 3),
            }


def print_measurements(path: Path, speech: Path, corpora: frozenset[str]) -> None:
    """Print a JSON line for every metric as it is computed."""
    for row in measure(open_encoder(path), speech, corpora):
        print(json.dumps(row), flush=True)
