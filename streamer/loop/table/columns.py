"""The columns of a table of recordings: names, types, units, meanings. Names and units stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from streamer.types import DIMENSIONS

Kind = Literal["text", "number", "flag", "vector"]
# For programs that read a table later; raised when a column is renamed, removed or redefined.
SCHEMA_VERSION: Final = 1
DISTANCE: Final = "distance_"
ACOUSTIC: Final = "acoustic_"
EMBEDDING: Final = "embedding"
SOUNDS: Final = "sounds"

_RANGES: Final = {
    "valence": "-1 negative .. 1 positive",
    "arousal": "-1 calm .. 1 excited",
    "dominance": "-1 submissive .. 1 dominant",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. unit: "" where the value has none. kind: vector is a list of float32."""

    name: str
    kind: Kind
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds beside its usual columns.

    speaker: "folder" or "channel", None for no such column. whole: one row a recording.
    """

    speaker: str | None = None
    whole: bool = False
    embeddings: bool = False
    acoustic: bool = False


_FIRST: Final = (
    Column("file", "text", "", "path of the recording: as given, or within the folder given"),
    Column("onset_s", "number", "s", "start of the utterance, from the start of the recording"),
    Column("offset_s", "number", "s", "end of the utterance"),
)
_SPEAKER: Final = Column(
    "speaker", "text", "", "the recording's folder, or its channel counted from 1"
)
_VERDICT: Final = (
    Column("emotion", "text", "", "nearest known emotion; empty: unknown, none is near enough"),
    Column("emotion_distance", "number", "cosine", "distance to the nearest, 0 .. 2"),
    Column("emotion_own", "flag", "", "enrolled in the profile, not a population's prototype"),
)
_LAST: Final = (
    Column("informativeness", "number", "", "-0.5 .. 0, higher: a label would teach more; empty "
           "until the profile has labels on both sides of 0"),
    Column("level_dbfs", "number", "dBFS", "RMS level of the recording as it is, not raised"),
    Column("snr_db", "number", "dB", "signal-to-noise ratio, -20 .. 80"),
    Column("clipped", "flag", "", "three samples in a row at full scale, or one beyond"),
    Column("trust", "number", "", "0.3 .. 1: share of certainty that noise and clipping leave; "
           "intervals are 1/trust times as wide"),
)  # fmt: skip


def columns_of(
    contents: Contents, emotions: Sequence[str], acoustic: Sequence[str] = ()
) -> tuple[Column, ...]:
    """All columns of a table, in their order.

    Parameters
    ----------
    emotions
        The emotions that the model knows, enrolled ones and a population's.
    acoustic
        Names of the acoustic functionals, units in their suffixes.

    Examples
    --------
    >>> [c.name for c in columns_of(Contents(), ["anger"])][3:6]
    ['valence', 'valence_low', 'valence_high']
    """
    dimensions = [
        Column(f"{name}{end}", "number", "", f"{what} ({_RANGES[name]})")
        for name in DIMENSIONS
        for end, what in (
            ("", f"predicted {name}"),
            ("_low", "lower end of its 80 % interval"),
            ("_high", "upper end of its 80 % interval"),
        )
    ]
    distances = [
        Column(f"{DISTANCE}{name}", "number", "cosine", f"distance to {name}, 0 .. 2")
        for name in sorted(emotions)
    ]
    functionals = [
        Column(f"{ACOUSTIC}{name}", "number", "in the name", "functional of librosa's descriptors")
        for name in acoustic
    ]
    functionals += [
        Column(SOUNDS, "text", "", "how it differs from the profile's usual, or where that knows "
               "few utterances, from many voices; at most three words")
    ]  # fmt: skip
    vector = [Column(EMBEDDING, "vector", "", "the encoder's embedding")]
    return (
        *_FIRST,
        *([_SPEAKER] if contents.speaker else []),
        *dimensions,
        *_VERDICT,
        *distances,
        *_LAST,
        *(functionals if contents.acoustic else []),
        *(vector if contents.embeddings else []),
    )
