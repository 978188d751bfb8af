"""A table of features: one row an utterance, measured elsewhere; CSV, .gz too.

Columns: utterance (or utt), speaker; optionally session, emotion, valence, arousal, dominance,
start, end, split; and the features, a prefix and a number each (f00, f01, ...). Where the table
rates valence, arousal or dominance, their scale must be stated: numbers alone do not say whether 1
to 5 or -1 to 1 is meant. Emotions are English words or the usual short forms (ang, fru, ...).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Corpus, CorpusClip, Fault, Features
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.tables import number, read_table
from streamer.evaluation.scales import UNIT, Rating, Scale
from streamer.types import DIMENSIONS

LAYOUT: Final = (
    "a CSV file with the columns utterance, speaker, f0, f1, ... and emotion, or valence, arousal "
    "[and dominance]"
)
SUFFIXES: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_UTTERANCE: Final = ("utterance", "utt")


def read_feature_table(path: Path, scale: Scale | None = None, prefix: str = "f") -> Corpus:
    """The corpus of a table, its features float32 [clips, d] in the order of their columns.

    scale: of valence, arousal and dominance. A row with a value missing or not finite is a fault.
    Raises CorpusError for a file without the columns, or with ratings of an unstated scale.
    """
    faults: list[Fault] = []
    name = path.name.split(".")[0]
    builder = CorpusBuilder(name, path.parent)
    features: list[list[float]] = []
    columns: list[str] = []
    key = ""
    for where, row in read_table(path, ("speaker",), faults, f"give {LAYOUT}"):
        if not columns:
            key, columns = _check(path, list(row), scale, prefix)
        try:
            values = [float(row[column]) for column in columns]
            clip = _clip(builder, where, row, row[key], scale or UNIT)
        except ValueError:
            builder.fault(where, "a value that is no number")
            continue
        if not np.isfinite(values).all():
            builder.fault(where, "a feature that is not finite")
            continue
        if clip.utterance not in builder:
            features.append(values)
        builder.add(clip)
    builder.faults(faults)
    corpus = builder.finish(LAYOUT)
    return _with_features(corpus, np.array(features, np.float32), tuple(columns))


def _clip(
    builder: CorpusBuilder, where: str, row: dict[str, str], utterance: str, scale: Scale
) -> CorpusClip:
    rated = Rating(*(number(row.get(dimension, "")) for dimension in DIMENSIONS))
    return CorpusClip(
        utterance=utterance,
        speaker=row["speaker"],
        session=row.get("session", ""),
        emotion=common_emotion(row.get("emotion", "")),
        original_emotion=row.get("emotion", ""),
        rated=rated,
        affect=builder.affect(scale, rated, f"{where}: {utterance}"),
        start_s=number(row.get("start", "")) or 0.0,
        end_s=number(row.get("end", "")),
        split=row.get("split", ""),
    )


def _check(
    path: Path, header: Sequence[str], scale: Scale | None, prefix: str
) -> tuple[str, list[str]]:
    """The columns that name the utterance and hold the features."""
    key = next((name for name in _UTTERANCE if name in header), None)
    columns = [name for name in header if re.fullmatch(re.escape(prefix) + r"\d+", name)]
    if key is None or not columns:
        raise CorpusError(
            f"{path} has no column utterance, or none named {prefix}0, {prefix}1, ...: "
            f"it has {', '.join(header[:8])}, ...; give {LAYOUT}"
        )
    if scale is None and set(DIMENSIONS) & set(header):
        raise CorpusError(
            f"{path} rates valence, arousal or dominance on an unstated scale; "
            "state it with --scale LOW:HIGH, such as --scale 1:5 or --scale=-1:1"
        )
    return key, columns


def _with_features(corpus: Corpus, features: Features, names: tuple[str, ...]) -> Corpus:
    """Rows that are the same in every value came from the same samples."""
    first: dict[bytes, str] = {}
    clips = tuple(
        replace(clip, recording=first.setdefault(row.tobytes(), clip.utterance))
        for clip, row in zip(corpus.clips, features, strict=True)
    )
    return Corpus(corpus.name, corpus.folder, clips, corpus.faults, features, names)
