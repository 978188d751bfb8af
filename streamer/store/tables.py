"""The tables as plain rows, for export and import.

Learned state is not included: it is computed from these rows and the encoder's prior.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streamer.store.database import Database
from streamer.store.marks import OF_THE_PLACE

Row = dict[str, Any]
# An utterance a second for 68 years. Beyond 2^53 a page would mistake one number for another.
LARGEST_NUMBER: Final = 2**31
# Seconds since 1970: until the year 2242, which every calendar here can show.
LATEST_TIME_S: Final = 2.0**33
LARGEST_VALUE: Final = 1e9
LONGEST_TEXT: Final = 4_096
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "INTEGER": (int,),
    "REAL": (int, float),
    "TEXT": (str,),
}


@dataclass(frozen=True, slots=True)
class Table:
    """key: the column that orders it. vectors: columns of float arrays, with their dtype.

    audio: a column of FLAC bytes, at most one; is_audio: a row of it is nothing else; plain:
    columns that hold JSON; since: the schema that it came with, where exports of an older one may
    be read.
    """

    name: str
    key: str
    vectors: Mapping[str, str] = field(default_factory=dict)
    audio: str | None = None
    is_audio: bool = False
    plain: tuple[str, ...] = ()
    since: int = 0

    @property
    def blobs(self) -> set[str]:
        return {*self.vectors, *((self.audio,) if self.audio else ())}


# In an order in which no row points to one that is yet to come.
TABLES: Final = (
    Table("sessions", "id", plain=("accounting",)),
    Table("selections", "id"),
    Table(
        "utterances",
        "id",
        vectors={"embedding": "<f4", "emotion": "<f4"},
        plain=("quality", "prediction", "verdict"),
    ),
    Table("recordings", "utterance", audio="audio", is_audio=True),
    Table("queries", "utterance", audio="clip"),
    Table("labels", "seq"),
    Table("lessons", "label", vectors={"features": "<f8"}),
    Table("enrollments", "id", vectors={"vector": "<f4"}),
    Table("asides", "id"),
    Table("heard_files", "sha256"),
    Table("emotion_keys", "place", since=9),
    Table("acoustics", "utterance", since=11),
    Table("markers", "id", since=12),
    Table("notes", "utterance", since=13),
)


def read_rows(database: Database, table: Table) -> Iterator[Row]:
    """All rows in order, one at a time; what holds JSON is decoded. Call it in a `snapshot`."""
    for row in database.stream(f"SELECT * FROM {table.name} ORDER BY {table.key}"):
        values = dict(row)
        for column in table.plain:
            if values[column] is not None:
                values[column] = json.loads(values[column])
        yield values


def write_row(database: Database, table: Table, row: Mapping[str, Any]) -> None:
    """Insert one.

    Raises ValueError for what the table has no column for, is of another type, or contradicts what
    is there.
    """
    types = _column_types(database, table)
    values: Row = {}
    for column, value in row.items():
        if column not in types:
            raise ValueError(f"{table.name} has no {column!r}")
        if column in table.plain:
            value = None if value is None else json.dumps(value, allow_nan=False)
        elif column not in table.blobs:
            _check(f"{table.name}.{column}", value, types[column])
        values[column] = value
    places = ", ".join("?" * len(values))
    insert = f"INSERT INTO {table.name} ({', '.join(values)}) VALUES ({places})"
    try:
        database.write(insert, *values.values())
    except sqlite3.IntegrityError as error:
        raise ValueError(str(error)) from error


def clear_rows(database: Database) -> None:
    """Delete all rows and the learned state."""
    for name in ("states", *(table.name for table in reversed(TABLES))):
        database.write(f"DELETE FROM {name}")
    kept = ", ".join(f"'{key}'" for key in OF_THE_PLACE)
    database.write(f"DELETE FROM meta WHERE key NOT IN ({kept})")


def numbers_used(database: Database) -> dict[str, int]:
    """The highest id ever used in each table; ids are never reused."""
    rows = database.rows("SELECT * FROM sqlite_sequence ORDER BY name")
    return {row["name"]: row["seq"] for row in rows}


def use_numbers_after(database: Database, used: Mapping[str, int]) -> None:
    """Continue after these ids, and after existing ones."""
    for name, number in numbers_used(database).items():
        database.write(
            "UPDATE sqlite_sequence SET seq = ? WHERE name = ?",
            max(number, used.get(name, 0)),
            name,
        )
    known = {table.name for table in TABLES} - numbers_used(database).keys()
    for name in known & used.keys():
        database.write("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", name, used[name])


def _column_types(database: Database, table: Table) -> dict[str, str]:
    rows = database.rows(f"SELECT name, type FROM pragma_table_info('{table.name}')")
    return {row["name"]: row["type"] for row in rows}


def _check(what: str, value: object, kind: str) -> None:
    if value is None:
        return  # the schema says where that may be
    known: Any = value
    if isinstance(value, bool) or not isinstance(value, _TYPES[kind]):
        raise ValueError(f"{what} is {value!r}, not of type {kind}")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"{what} has {len(value):,} characters, more than {LONGEST_TEXT:,}")
        return
    low, high = _bounds(what, kind)
    if not low <= known <= high:  # also catches NaN
        raise ValueError(f"{what} is {value!r}, not in [{low:g}, {high:g}]")


def _bounds(what: str, kind: str) -> tuple[float, float]:
    if kind == "INTEGER":
        return 0.0, LARGEST_NUMBER
    if what.endswith(("_at", "_s")):
        return 0.0, LATEST_TIME_S
    return -LARGEST_VALUE, LARGEST_VALUE
