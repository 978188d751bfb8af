"""Label files: text in any common encoding, tables by column name."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Fault

_DELIMITERS: Final = (",", "\t", ";")


def read_text(path: Path) -> str:
    """A text file's content: UTF-8 with or without a mark, UTF-16 with one, else Windows-1252.

    A name that ends in .gz is unpacked. Raises CorpusError for a file that cannot be read.
    """
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(
            f"cannot read the label file {path}: {reason}; get the corpus's archive again"
        ) from error
    for encoding in (
        ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    ):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"{path} is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, stripped, with their numbers from 1."""
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield number, line.strip()


def read_table(
    path: Path,
    columns: Sequence[str],
    faults: list[Fault],
    remedy: str = "give the owner's own table",
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of a table as (location, fields by column, stripped).

    The delimiter is the one (comma, tab, semicolon) under which the header has all of `columns`.
    A row with more or fewer fields than the header is appended to `faults`. Raises CorpusError for
    a file that cannot be read or that lacks a column, with the remedy for that.
    """
    text = read_text(path)
    delimiter = _delimiter(path, text, columns, remedy)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(rows)]
    while True:
        where = f"{path.name} line {rows.line_num + 1}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError(f"{where}: {error}; correct the table") from error
        if len(row) == len(header):
            yield where, dict(zip(header, map(str.strip, row), strict=True))
        elif row:
            faults.append(Fault(where, "a row of more or fewer fields than the header"))


def _delimiter(path: Path, text: str, columns: Sequence[str], remedy: str) -> str:
    header = text.splitlines()[0] if text.strip() else ""
    for delimiter in _DELIMITERS:
        names = next(csv.reader([header], delimiter=delimiter), [])
        if set(columns) <= {name.strip() for name in names}:
            return delimiter
    raise CorpusError(
        f"{path} has no columns {', '.join(columns)} in its first line ({header[:80]!r}); {remedy}"
    )


def number(text: str) -> float | None:
    """A number, or None for an empty field or NaN. Raises ValueError for anything else."""
    text = text.strip()
    if not text:
        return None
    value = float(text)
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise ValueError(text)
    return value
