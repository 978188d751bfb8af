"""Fit the complete prior of an encoder and write it beside the model.

    python -m streamer.training prior --speech SPEECH --models models --name streamer-small

Embeds the labelled corpora of SPEECH with the encoder of that manifest row; the vectors are cached
in --cache. Fits the hierarchical prior (`export.prior`) and the prototypes of the emotions
(`export.population`), writes NAME.prior.npz, bound to the encoder's sha256, and the row's hash of
it. With --without CORPUS, and --out FILE for where, the prior is fitted without that corpus's
labels, for benchmarks on it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from streamer.encoders.manifest import write_row
from streamer.encoders.prior_file import write_prior
from streamer.encoders.registry import EncoderRow, read_manifest
from streamer.learners.prior import Prior
from streamer.training.data.speech import Clip
from streamer.training.export.measure import embed_corpora, open_encoder
from streamer.training.export.population import fit_weight, prototypes_of, thresholds, voices_of
from streamer.training.export.prior import Settings, fit_prior, labelled_clips

LABELLED = (
    "ravdess", "tess", "nemo", "turev", "urdu", "savee", "emovo", "kor_emotts", "emospeech_in",
)  # fmt: skip
# float32 and text only, as `np.load` reads without pickle.
_FIELDS = ("corpus", "name", "speaker", "emotion", "language")


def fit_voices(
    embeddings: np.ndarray,
    emotions: np.ndarray,
    clips: Sequence[Clip],
    settings: Settings | None = None,
) -> tuple[Prior, dict[str, object]]:
    """The complete prior, and the chosen hyperparameters; embeddings:

    [clips, d]; emotions: [clips, e].
    """
    prior, chosen = fit_prior(labelled_clips(embeddings, clips), settings)
    known = voices_of(emotions, clips)
    weight, recall = fit_weight(known)
    population = prototypes_of(known)
    limits = thresholds(known, population)
    whole = replace(
        prior,
        emotion_mean=known.mean,
        prototypes=np.array([population[name] for name in population]),
        prototype_names=np.array(list(population)),
        prototype_thresholds=np.array([limits[name] for name in population]),
        prototype_weight=np.array([weight]),
    )
    return whole, {**chosen, "prototype_weight": weight, "recall_left_out": recall}


def embedded(
    row: EncoderRow, speech: Path, cache: Path, corpora: Sequence[str] = LABELLED
) -> tuple[list[Clip], np.ndarray, np.ndarray]:
    """Labelled clips, embeddings [clips, d], emotion vectors [clips, e]; from `cache` if valid.

    cache: an npz; it is written where it is missing, or belongs to another encoder or other
    corpora.
    """
    key = f"{row.sha256} {' '.join(sorted(corpora))}"
    if cache.is_file():
        with np.load(cache, allow_pickle=False) as kept:
            if str(kept["key"]) == key:
                columns = [kept[name].tolist() for name in _FIELDS]
                clips = [Clip(a, b, c, e, f, 0, 0) for a, b, c, e, f in zip(*columns, strict=True)]
                return clips, kept["embedding"], kept["emotion_vector"]
    clips, embeddings, emotions = embed_corpora(
        open_encoder(row.path), speech, frozenset(corpora), unit_length=row.unit_length
    )
    columns_of = {name: np.array([getattr(clip, name) for clip in clips]) for name in _FIELDS}
    partial = cache.with_suffix(".part.npz")
    np.savez(
        partial, allow_pickle=False, key=np.array(key), embedding=embeddings,
        emotion_vector=emotions, **columns_of,
    )  # fmt: skip
    partial.replace(cache)
    return clips, embeddings, emotions


def make_prior(
    models: Path, name: str, speech: Path, cache: Path, without: Sequence[str], out: Path | None
) -> dict[str, object]:
    """See the module; returns the chosen hyperparameters.

    Raises ValueError for an encoder that the manifest does not name.
    """
    row = row_of(models, name)
    clips, embeddings, emotions = embedded(row, speech, cache)
    kept = np.array([c.corpus not in without for c in clips])
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    prior, chosen = fit_voices(embeddings[kept], emotions[kept], rows)
    path = out or models / f"{name}.prior.npz"
    digest = write_prior(path, prior, row.sha256)
    if out is None:
        manifest = models / "manifest.toml"
        table = next(t for t in tomllib.loads(manifest.read_text())["encoder"] if t["name"] == name)
        write_row(manifest, {**table, "prior": path.name, "prior_sha256": digest})
    corpora = sorted({c.corpus for c in rows})
    return {"encoder": name, "file": str(path), "corpora": corpora, "clips": len(rows), **chosen}


def row_of(models: Path, name: str) -> EncoderRow:
    found = next((row for row in read_manifest(models) if row.name == name), None)
    if found is None:
        raise ValueError(f"{models / 'manifest.toml'} names no encoder {name!r}")
    return found


def print_prior(
    models: Path, name: str, speech: Path, cache: Path, without: Sequence[str], out: Path | None
) -> None:
    print(json.dumps(make_prior(models, name, speech, cache, without, out), indent=1))
