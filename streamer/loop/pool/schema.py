"""The columns of a pool's Parquet files, with their units and meanings."""

import json
from typing import TYPE_CHECKING, Any, Final

from streamer.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

SCHEMA_VERSION: Final = 1
PRECISIONS: Final = ("float16", "float32")
EMBEDDING: Final = "embedding"
EMOTION: Final = "emotion_vector"

# Name, type, unit, meaning.
_ROWS: Final = (
    ("recording", "names", "", "sha256 of the recording's bytes"),
    ("file", "names", "", "absolute path of the recording when it was added"),
    ("onset_s", "float64", "s", "start of the utterance, from the start of the recording"),
    ("offset_s", "float64", "s", "end of the utterance"),
    ("channel", "int16", "", "channel of the recording, from 1; null: all that are good, mixed"),
    ("voice", "names", "", "whose utterances were normalized together: a recording, a channel of "
     "it, or a folder"),
    ("level_dbfs", "float64", "dBFS", "RMS level of the recording as it is"),
    ("gain_db", "float64", "dB", "by how much it was raised before it was encoded"),
    ("snr_db", "float64", "dB", "signal-to-noise ratio"),
    ("clipped", "bool", "", "three samples in a row at full scale, or one beyond"),
    ("trust", "float64", "", "0.3 .. 1: share of certainty that noise and clipping leave"),
    (EMBEDDING, "vector", "", "the encoder's embedding, on the scale of the population's voices"),
    (EMOTION, "vector", "", "the encoder's vector for enrolled emotions, of unit length"),
)  # fmt: skip
_RECORDINGS: Final = (
    ("recording", "string", "", "sha256 of its bytes"),
    ("file", "string", "", "absolute path when it was added"),
    ("size_bytes", "int64", "bytes", "length of the file"),
    ("mtime_ns", "int64", "ns", "its modification time"),
    ("rows", "int32", "", "utterances in it"),
    ("speech_s", "float64", "s", "their length together"),
    ("problem", "string", "", "why it was not read to its end; null: it was"),
)


def arrow() -> Any:
    """The module pyarrow. Raises UsageError where it is not installed."""
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise UsageError(
            "pyarrow is not installed; a pool needs it: python -m pip install 'streamer[cluster]'"
        ) from error
    return pyarrow


def rows_schema(precision: str, about: dict[str, Any]) -> "pyarrow.Schema":
    """Of the utterances. about: what the whole pool has in common, kept in the metadata."""
    return _schema(_ROWS, precision, about)


def recordings_schema() -> "pyarrow.Schema":
    return _schema(_RECORDINGS, PRECISIONS[0], {})


def _schema(
    columns: tuple[tuple[str, str, str, str], ...], precision: str, about: dict[str, Any]
) -> "pyarrow.Schema":
    pa = arrow()
    number = pa.float16() if precision == "float16" else pa.float32()
    types = {"names": pa.dictionary(pa.int32(), pa.string()), "vector": pa.list_(number)}
    fields = [
        pa.field(
            name,
            types.get(kind) or pa.type_for_alias(kind),
            metadata={"unit": unit, "meaning": meaning},
        )
        for name, kind, unit, meaning in columns
    ]
    return pa.schema(fields, metadata={"streamer_pool": json.dumps(about)})
