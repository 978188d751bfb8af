"""Read a labelled source: a corpus, a table of features, or the export of a profile."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer.errors import CorpusError
from streamer.evaluation.dataset import standard_scores
from streamer.evaluation.embedding import Encoder, embed
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers import AUTO, read_corpus
from streamer.evaluation.scales import Scale
from streamer.learners.source import LabelledSource
from streamer.types import DIMENSIONS, Matrix

Progress = Callable[[int, int], None]
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = "streamer-profile"


def read_source(
    place: Path,
    make_encoder: Callable[[], Encoder],
    cache: Path,
    *,
    reader: str = AUTO,
    scale: Scale | None = None,
    progress: Progress = lambda done, total: None,
) -> tuple[str, LabelledSource]:
    """The name of a source, and its vectors and labels.

    Standard scores are by speaker, as a profile's are by voice; an export is one voice. A clip
    without ratings has the affective norm of its emotion. Clips without a label are skipped.

    Parameters
    ----------
    place
        As `readers.read_corpus` takes it, or a folder that `streamer export` wrote.
    make_encoder
        The encoder that the profile is of; an export must be of the same one.
    cache
        Folder for the embeddings while they are made; an interrupted call goes on from there.
    reader, scale
        As `readers.read_corpus`.
    progress
        Called with the number of clips embedded and the total.

    Raises
    ------
    CorpusError
        Where nothing is labelled, or an export or table is of another encoder.
    """
    if (place / _MANIFEST).is_file():
        return _read_export(place, make_encoder())
    corpus = read_corpus(reader, place, scale)
    if corpus.features is None:
        corpus = embed(corpus, make_encoder, cache, progress=progress).corpus
    size = make_encoder().embedding_size
    if corpus.features is None or corpus.features.shape[1] != size:
        found = 0 if corpus.features is None else corpus.features.shape[1]
        raise CorpusError(
            f"{corpus.name} has {found} features, the profile's encoder {size}: "
            "give a table of that encoder's embeddings, or the recordings themselves"
        )
    speakers = np.array([clip.speaker for clip in corpus.clips])
    raw = corpus.features.astype(np.float64)
    features = np.empty_like(raw)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        features[own] = standard_scores(raw[own], raw[own])
    emotions = [clip.emotion for clip in corpus.clips]
    return corpus.name, _labelled(place, features, corpus.affect(), emotions)


def _read_export(folder: Path, encoder: Encoder) -> tuple[str, LabelledSource]:
    """Utterances of a profile's export, with the mean of the ratings and the emotion most named."""
    manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    if manifest.get("format") != _FORMAT:
        raise CorpusError(f"{folder / _MANIFEST} is not that of an export: give another folder")
    if manifest.get("encoder_sha256") != encoder.sha256:
        raise CorpusError(
            f"{folder} is of encoder {manifest.get('encoder')!r}, the profile of {encoder.name!r}: "
            "carry that profile over with `streamer reembed` and export it again"
        )
    utterances = [row["id"] for row in _rows(folder / "utterances.jsonl")]
    vectors = np.fromfile(folder / "utterances.embedding.f32", "<f4")
    vectors = vectors.reshape(len(utterances), encoder.embedding_size).astype(np.float64)
    affect = np.full((len(utterances), len(DIMENSIONS)), np.nan)
    emotions: list[str | None] = [None] * len(utterances)
    labels = _rows(folder / "labels.jsonl")
    taken_back = {row["retracts"] for row in labels if row["retracts"] is not None}
    answers: dict[int, list[dict[str, Any]]] = {}
    for row in labels:
        if row["retracts"] is None and row["seq"] not in taken_back:
            answers.setdefault(row["utterance"], []).append(row)
    for place, utterance in enumerate(utterances):
        given = answers.get(utterance, [])
        for column, name in enumerate(DIMENSIONS):
            values = [_to_unit(row, name) for row in given if row[name] is not None]
            if values:
                affect[place, column] = np.mean(values)
        names = [row["emotion"] for row in given if row["emotion"]]
        if names:
            emotions[place] = max(dict.fromkeys(names), key=names.count)
    features = standard_scores(vectors, vectors) if len(vectors) else vectors
    return folder.name, _labelled(folder, features, affect, emotions)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read ({error}): export the profile again") from error


def _to_unit(row: dict[str, Any], name: str) -> float:
    low, high = row["scale_low"], row["scale_high"]
    return float(2.0 * (row[name] - low) / (high - low) - 1.0)


def _labelled(
    place: Path, features: Matrix, affect: Matrix, emotions: list[str | None]
) -> LabelledSource:
    """The labelled clips: common emotion names, norms where there is no rating."""
    named = [None if e is None else (common_emotion(e) or e) for e in emotions]
    kept = np.flatnonzero(
        np.isfinite(affect).all(axis=1) | np.array([name is not None for name in named], bool)
    )
    if not len(kept):
        raise CorpusError(f"{place} has no label at all: give a labelled corpus")
    source = LabelledSource(features[kept], affect[kept], [named[i] for i in kept])
    return source.with_norms()
