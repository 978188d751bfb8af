"""A whole profile as a folder of open formats, and back.

    manifest.json       format, versions, encoder, numbers already used
    prior.json          the encoder's prior, before the first label
    settings.json       the settings at the time; for people, not read back
    TABLE.jsonl         one row a line, UTF-8
    TABLE.COLUMN.f32    vectors of that table: row by row, little-endian float32 (or .f64)
    clips/N.flac        audio of open questions, by the number of their utterance
    recordings/N.flac   audio of every utterance, where that was kept
    SHA256SUMS          of all files; `sha256sum -c SHA256SUMS` checks them elsewhere
    README.txt          this text

What was learned is not in it: it is the fold of these rows, and is folded anew when they are read.
"""

from typing import Final

from streamer.store.tables import Table

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
PRIOR: Final = "prior.json"
SUMS: Final = "SHA256SUMS"
AUDIO_FOLDERS: Final = {"clip": "clips", "audio": "recordings"}
_ENDINGS: Final = {"<f4": "f32", "<f8": "f64"}


def rows_name(table: Table) -> str:
    return f"{table.name}.jsonl"


def vectors_name(table: Table, column: str) -> str:
    return f"{table.name}.{column}.{_ENDINGS[table.vectors[column]]}"


def audio_name(table: Table, utterance: int) -> str:
    """Where a row's audio lies; only for tables that have any."""
    return f"{AUDIO_FOLDERS[table.audio or '']}/{utterance}.flac"
