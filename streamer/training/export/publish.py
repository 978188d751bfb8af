"""From a checkpoint to the released files: projections, prior, graph, manifest row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.encoders.manifest import write_row
from streamer.encoders.prior_file import write_prior
from streamer.training.data.speech import RATE_HZ, Clip
from streamer.training.data.targets import Cache
from streamer.training.export.embedder import Embedder, mean_columns
from streamer.training.export.licences import LICENCES
from streamer.training.export.onnx import (
    manifest_row,
    set_affine,
    sha256,
    write_onnx,
)
from streamer.training.export.pooling import clip_vectors
from streamer.training.export.prior import corpus_weights, labelled_clips
from streamer.training.export.projection import (
    Affine,
    emotion_gain,
    emphasized,
    fit_embedding,
    fit_emotion,
)
from streamer.training.export.voices import fit_voices
from streamer.training.export.wav2vec2 import write_wav2vec2
from streamer.training.head.choice import Candidate, candidates, load_head
from streamer.training.head.head import HeadRecipe
from streamer.training.student.distill import load_distiller
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.student.recipe import Recipe

HEAD_FILE = "head.pt"


@dataclass(frozen=True, slots=True)
class Projections:
    """Settings of the closed-form projections.

    Output sizes, whitening power, emphasis of the directions between emotions (0: the embedding is
    made without labels), and the maximum number of clips per corpus.
    """

    embedding_size: int = 512
    emotion_size: int = 128
    power: float = 0.15
    emphasis: float = 3.0
    clips_per_corpus: int = 1200
    seed: int = 0


def sample_clips(clips: Sequence[Clip], settings: Projections) -> list[int]:
    """Indices of the clips to use: all original clips of each corpus, or a random sample."""
    rng, kept = np.random.default_rng(settings.seed), []
    corpora = np.array([c.corpus for c in clips])
    spoken = np.array([not c.is_copy for c in clips])
    for name in np.unique(corpora):
        own = np.flatnonzero((corpora == name) & spoken)
        kept.extend(rng.permutation(own)[: settings.clips_per_corpus].tolist())
    return sorted(kept)


def fit_to_embedding(
    raw: np.ndarray,
    clips: Sequence[Clip],
    settings: Projections,
    unlabelled: frozenset[str] = frozenset(),
) -> Affine:
    """The map raw -> embedding; the labels of the corpora ``unlabelled`` are not used."""
    rng, weights = np.random.default_rng(settings.seed), corpus_weights(clips)
    embedding = fit_embedding(raw, weights, settings.embedding_size, settings.power, rng)
    if not settings.emphasis:
        return embedding
    kept = np.array([bool(c.emotion) and c.corpus not in unlabelled for c in clips])
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    known = labelled_clips(embedding(raw[kept]), rows)
    gain = emotion_gain(known.x, known.emotions, known.corpora, settings.emphasis)
    return emphasized(embedding, gain, raw, weights, rng)


def fit_to_emotion(
    raw: np.ndarray, columns: np.ndarray, clips: Sequence[Clip], settings: Projections
) -> Affine:
    """The map raw[:, columns] -> emotion, without emotion labels."""
    known = np.array([c.speaker != "" for c in clips])
    rows = [c for c, keep in zip(clips, known, strict=True) if keep]
    speakers = np.array([f"{c.corpus}/{c.speaker}" for c in rows])
    return fit_emotion(
        raw[known][:, columns], speakers, corpus_weights(rows), settings.emotion_size
    )


def head_candidates(
    checkpoint: Path, cache: Cache, skip: frozenset[str], recipe: HeadRecipe
) -> tuple[tuple[Candidate, ...], list[Clip]]:
    """Candidates for the emotion head of a checkpoint, and the labelled clips of their trials."""
    student = load_distiller(checkpoint)[0].student
    kept = [i for i, c in enumerate(cache.clips) if c.emotion and c.corpus not in skip]
    clips = [cache.clips[i] for i in kept]
    means = clip_vectors(student, cache, kept)[:, mean_columns(student)]
    return candidates(means, clips, recipe), clips


def publish(
    checkpoint: Path,
    cache: Cache,
    models: Path,
    name: str,
    settings: Projections,
    skip: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Write models/NAME.onnx, its prior and its manifest row; return the row.

    Of a raw student also models/NAME, which ``transformers.Wav2Vec2Model`` loads.

    Corpora named in ``skip`` are not used, also not for the projections and the prior. Where
    the checkpoint's folder has a ``head.pt``, it makes ``emotion``.
    """
    distiller, recipe = load_distiller(checkpoint)
    kept = [i for i in sample_clips(cache.clips, settings) if cache.clips[i].corpus not in skip]
    clips = [cache.clips[i] for i in kept]
    raw = clip_vectors(distiller.student, cache, kept)
    columns = mean_columns(distiller.student)
    to_embedding = fit_to_embedding(raw, clips, settings)
    made = checkpoint.with_name(HEAD_FILE)
    if made.is_file():
        to_emotion = load_head(made, sha256(checkpoint), skip).affine
    else:
        to_emotion = fit_to_emotion(raw, columns, clips, settings)
    sizes = (to_embedding.matrix.shape[1], to_emotion.matrix.shape[1])
    embedder = Embedder(distiller.student, sizes)
    set_affine(embedder.embedding, to_embedding)
    set_affine(embedder.emotion, to_emotion)

    vectors = to_embedding(raw)
    emotions = to_emotion(raw[:, columns])
    emotions /= np.linalg.norm(emotions, axis=1, keepdims=True)
    models.mkdir(parents=True, exist_ok=True)
    onnx_path, prior_path = models / f"{name}.onnx", models / f"{name}.prior.npz"
    write_onnx(embedder, onnx_path)
    prior, _ = fit_voices(vectors, emotions, clips)
    write_prior(prior_path, prior, sha256(onnx_path))
    if isinstance(distiller.student, RawStudent):
        write_wav2vec2(distiller.student, models / name)
    heard = [c for c in cache.clips if c.corpus not in skip and not c.is_copy]
    row = manifest_row(onnx_path, prior_path, name, described(recipe), training_rows(heard))
    write_row(models / "manifest.toml", row)
    return row


def described(recipe: Recipe) -> str:
    """One line for the manifest."""
    shape, teachers = recipe.shape, sorted({hint[1] for hint in recipe.hints})
    kind = "wav2vec 2.0" if isinstance(shape, RawShape) else "log-mel wav2vec 2.0 student"
    learned = f", distilled from Whisper {' and '.join(teachers)}" if teachers else ""
    return f"{kind}, {shape.layers} blocks of {shape.channels}, 25 tokens a second{learned}"


def training_rows(clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """Name, licence and hours of every corpus among the clips."""
    samples: dict[str, int] = {}
    for clip in clips:
        samples[clip.corpus] = samples.get(clip.corpus, 0) + clip.samples
    return [
        {"name": n, "licence": LICENCES.get(n, "unknown"), "hours": round(s / RATE_HZ / 3600, 2)}
        for n, s in samples.items()
    ]
