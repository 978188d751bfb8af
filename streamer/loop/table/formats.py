"""Tables as files: CSV, JSON lines, Parquet. Written whole or not at all."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from streamer.errors import StreamerError, UsageError
from streamer.loop.table.columns import SCHEMA_VERSION, Column
from streamer.text import json_line

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]
_ROWS_A_GROUP: Final = 10_000
# What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class TableWriter(Protocol):
    def __call__(self, path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None: ...


def writer_for(path: Path) -> TableWriter:
    """By the suffix of the file. Raises UsageError, and StreamerError without pyarrow."""
    writers: dict[str, TableWriter] = {
        ".csv": write_csv,
        ".jsonl": write_json_lines,
        ".ndjson": write_json_lines,
        ".parquet": write_parquet,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"--out {path}: give a name that ends in .csv, .parquet or .jsonl")
    if writer is write_parquet:
        arrow()
    return writer


def arrow() -> Any:
    """The module pyarrow. Raises StreamerError where it is not installed."""
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise StreamerError(
            "pyarrow is not installed; Parquet needs it: python -m pip install "
            "'streamer[cluster]', or write .csv or .jsonl"
        ) from error
    return pyarrow


def write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Numbers to the last digit, flags as true and false, nothing for what is unknown.

    A vector takes a column a value, NAME_0, NAME_1... Text that a spreadsheet would run as a
    formula gets a quotation mark in front.
    """
    with _replaced(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        header: list[str] | None = None
        for row in rows:
            if header is None:
                header = _header(columns, row)
                writer.writerow(header)
            writer.writerow(_cells(columns, row))
        if header is None:
            writer.writerow([c.name for c in columns if c.kind != "vector"])


def _header(columns: Sequence[Column], row: Row) -> list[str]:
    names: list[str] = []
    for column in columns:
        if column.kind == "vector":
            names += [f"{column.name}_{k}" for k in range(len(row[column.name]))]
        else:
            names.append(column.name)
    return names


def _cells(columns: Sequence[Column], row: Row) -> Iterator[object]:
    for column in columns:
        value = row[column.name]
        if column.kind == "vector":
            yield from value
        elif isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str) and value.startswith(_FORMULA):
            yield f"'{value}"
        else:
            yield "" if value is None else value


def write_json_lines(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """One object a line, null for what is unknown, vectors as lists."""
    with _replaced(path, "w") as file:
        for row in rows:
            file.write(json_line({column.name: row[column.name] for column in columns}) + "\n")


def write_parquet(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Typed columns with units and meanings in the metadata; vectors are lists of float32."""
    pa = arrow()
    import pyarrow.parquet as pq

    schema = arrow_schema(columns)
    with _replaced(path, "wb") as file, pq.ParquetWriter(file, schema) as writer:
        for group in _groups(rows, _ROWS_A_GROUP):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def arrow_schema(columns: Sequence[Column]) -> "pyarrow.Schema":
    pa = arrow()
    types: dict[str, Callable[[], Any]] = {
        "text": pa.string,
        "number": pa.float64,
        "flag": pa.bool_,
        "vector": lambda: pa.list_(pa.float32()),
    }
    fields = [
        pa.field(c.name, types[c.kind](), metadata={"unit": c.unit, "meaning": c.meaning})
        for c in columns
    ]
    return pa.schema(fields, metadata={"streamer_schema": json.dumps(SCHEMA_VERSION)})


def _groups(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def _replaced(path: Path, mode: str, newline: str | None = None) -> Iterator[IO[Any]]:
    """A file that takes the place of `path` when it is complete."""
    part = path.with_name(f".{path.name}.new")
    encoding = None if "b" in mode else "utf-8"
    try:
        with part.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
