"""Rows of the store as frozen dataclasses, with their encoding and decoding."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.store.database import decoding
from streamer.types import (
    DIMENSIONS,
    Estimate,
    Label,
    Prediction,
    Quality,
    Samples,
    Vector,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class StoredUtterance:
    """embedding: float32 [d] and emotion: float32 [e], as the encoder gave them."""

    id: int
    source: str
    onset_s: float
    offset_s: float
    heard_at: float
    quality: Quality
    embedding: Samples
    emotion: Samples
    prediction: Prediction
    verdict: Verdict
    informativeness: float | None
    state: str


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A request for a label. score: higher was more informative; has_clip: its audio is kept."""

    utterance: StoredUtterance
    score: float
    asked_at: float
    has_clip: bool


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of the label log. retracts: the row that an undo retracts, else None.

    effective: neither undone nor replaced by the same annotator's later answer.
    first: no earlier effective label exists for the utterance, so it is a valid test.
    features: float64 [d] that it was learned with, or None while it was not.
    """

    seq: int
    label: Label
    given_at: float
    retracts: int | None
    effective: bool
    first: bool
    features: Vector | None


def encode_prediction(prediction: Prediction) -> str:
    return json.dumps({name: asdict(getattr(prediction, name)) for name in DIMENSIONS})


def decode_prediction(text: str) -> Prediction:
    parts = json.loads(text)
    return Prediction(**{name: Estimate(**parts[name]) for name in DIMENSIONS})


def decode_utterance(row: sqlite3.Row) -> StoredUtterance:
    with decoding(f"utterance {row['id']}"):
        return StoredUtterance(
            id=row["id"],
            source=row["source"],
            onset_s=row["onset_s"],
            offset_s=row["offset_s"],
            heard_at=row["heard_at"],
            quality=Quality(**json.loads(row["quality"])),
            embedding=decode_vector(row["embedding"], "<f4"),
            emotion=decode_vector(row["emotion"], "<f4"),
            prediction=decode_prediction(row["prediction"]),
            verdict=Verdict(**json.loads(row["verdict"])),
            informativeness=row["informativeness"],
            state=row["state"],
        )


def decode_log_entry(row: sqlite3.Row) -> LogEntry:
    with decoding(f"label {row['seq']}"):
        return LogEntry(
            seq=row["seq"],
            label=Label(
                utterance=row["utterance"],
                valence=_to_unit(row["valence"], row),
                arousal=_to_unit(row["arousal"], row),
                dominance=_to_unit(row["dominance"], row),
                emotion=row["emotion"],
                annotator=row["annotator"],
            ),
            given_at=row["given_at"],
            retracts=row["retracts"],
            effective=bool(row["effective"]),
            first=bool(row["first"]),
            features=None if row["features"] is None else decode_vector(row["features"], "<f8"),
        )


def encode_vector(vector: NDArray[Any], kind: str) -> bytes:
    """kind: "<f4" or "<f8", so that a profile moves between machines."""
    return np.ascontiguousarray(vector, kind).tobytes()


def decode_vector(blob: bytes, kind: str) -> NDArray[Any]:
    return np.frombuffer(blob, kind).astype(kind[1:])


def _to_unit(value: float | None, row: sqlite3.Row) -> float | None:
    """The one place where a label's own scale becomes [-1, 1]."""
    if value is None:
        return None
    low, high = row["scale_low"], row["scale_high"]
    if (low, high) == (-1.0, 1.0):
        return float(value)
    return float(2.0 * ((value - low) / (high - low)) - 1.0)
