"""The vectors and answers of one device, from its profile or from what `streamer export` wrote."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from streamer.errors import OtherEncoder, ProfileDamaged
from streamer.learners.fleet.statistics import VoiceData
from streamer.learners.prior import Prior
from streamer.profiles import archive as layout
from streamer.profiles.archive.reading import read_manifest
from streamer.profiles.archive.safe_files import Folder
from streamer.store.profile import Profile
from streamer.store.tables import TABLES, Row, read_rows
from streamer.types import DIMENSIONS

_TABLES = {table.name: table for table in TABLES}


def data_of_profile(profile: Profile, prior: Prior) -> VoiceData:
    """A consistent snapshot; a process that listens goes on meanwhile."""
    with profile.database.snapshot():
        return _data(
            read_rows(profile.database, _TABLES["utterances"]),
            read_rows(profile.database, _TABLES["labels"]),
            read_rows(profile.database, _TABLES["enrollments"]),
            prior,
        )


def data_of_export(folder: Path, encoder: str, sha256: str, prior: Prior) -> VoiceData:
    """An export's rows, each file checked by its hash; no audio is read.

    Raises OtherEncoder for one of another encoder, ProfileDamaged and ProfileTooNew.
    """
    files = Folder(folder, layout.SUMS)
    manifest = read_manifest(files)
    if manifest.encoder_sha256 != sha256:
        raise OtherEncoder(
            f"{folder} is of the encoder {manifest.encoder!r} "
            f"({(manifest.encoder_sha256 or 'none')[:12]}), not of {encoder!r} ({sha256[:12]}): "
            "leave it out, or carry that profile over with `streamer reembed` and export it again"
        )
    sizes = {"embedding": prior.size, "emotion": len(prior.emotion_mean)}
    sizes["vector"] = sizes["emotion"]

    def rows(name: str) -> Iterable[Row]:
        table = _TABLES[name]
        vectors = {
            column: files.pieces(
                layout.vectors_name(table, column), sizes[column] * np.dtype(kind).itemsize
            )
            for column, kind in table.vectors.items()
        }
        for row in files.lines(layout.rows_name(table)):
            yield row | {column: next(pieces) for column, pieces in vectors.items()}

    try:
        return _data(rows("utterances"), rows("labels"), rows("enrollments"), prior)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ProfileDamaged(
            f"{folder}: a row is not as exports have it ({error!r}): export it again"
        ) from error


def _data(
    utterances: Iterable[Row], labels: Iterable[Row], enrollments: Iterable[Row], prior: Prior
) -> VoiceData:
    numbers: list[int] = []
    embeddings: list[Any] = []
    vectors: list[Any] = []
    for row in utterances:
        numbers.append(row["id"])
        embeddings.append(np.frombuffer(row["embedding"], "<f4"))
        vectors.append(np.frombuffer(row["emotion"], "<f4"))
    place = {number: k for k, number in enumerate(numbers)}
    affect = np.full((len(numbers), len(DIMENSIONS)), np.nan)
    emotions: list[str | None] = [None] * len(numbers)
    enrolled: dict[str, list[Any]] = {}
    for row in enrollments:
        if row["utterance"] in place:
            emotions[place[row["utterance"]]] = str(row["emotion"])
        else:
            vector = np.frombuffer(row["vector"], "<f4").astype(np.float64)
            enrolled.setdefault(str(row["emotion"]), []).append(vector)
    for utterance, given in _standing(labels).items():
        if utterance not in place:
            continue
        at = place[utterance]
        for column, name in enumerate(DIMENSIONS):
            values = [_to_unit(row, name) for row in given if row[name] is not None]
            if values:
                affect[at, column] = np.mean(values)
        names = [str(row["emotion"]) for row in given if row["emotion"]]
        if names:
            emotions[at] = Counter(names).most_common(1)[0][0]
    return VoiceData(
        np.array(embeddings, np.float64).reshape(-1, prior.size),
        np.array(vectors, np.float64).reshape(-1, len(prior.emotion_mean)),
        affect,
        emotions,
        {name: np.array(rows) for name, rows in enrolled.items()},
    )


def _standing(labels: Iterable[Row]) -> dict[int, list[Row]]:
    """Each utterance's answers: of each annotator the last one that was not taken back."""
    rows = list(labels)
    taken_back = {row["retracts"] for row in rows if row["retracts"] is not None}
    last: dict[tuple[int, str], Row] = {}
    for row in rows:
        if row["retracts"] is None and row["seq"] not in taken_back:
            last[row["utterance"], row["annotator"]] = row
    standing: dict[int, list[Row]] = {}
    for row in last.values():
        standing.setdefault(row["utterance"], []).append(row)
    return standing


def _to_unit(row: Row, name: str) -> float:
    low, high = row["scale_low"], row["scale_high"]
    if not low < high or not low <= row[name] <= high:
        raise ValueError(f"{name} is {row[name]}, its scale {low} to {high}")
    return float(2.0 * (row[name] - low) / (high - low) - 1.0)
