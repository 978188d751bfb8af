"""Tables of text as people have them: any separator, encoding and decimal mark.

What a line says is shown with its number in every error, and nothing ambiguous is guessed.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streamer.annotation.scales import Scales, suggested
from streamer.errors import UsageError
from streamer.text import printable
from streamer.types import DIMENSIONS

SEPARATORS: Final = (",", ";", "\t", "|")
# How missing values are written by R, pandas and spreadsheets.
_EMPTY: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a"})
# A spreadsheet runs a cell that begins so as a formula; wide forms are taken for the same.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_SHOWN: Final = 120

# A question and its possible answers; the answer. Raises UsageError where nobody answers.
Ask = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line that is not blank: its number, its text, and its cells by column, stripped."""

    line: int
    text: str
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Heading:
    """The line that names the columns: its number, its text, and the names in lower case."""

    line: int
    text: str
    names: list[str]


class TextTable:
    """A table whose separator is the one under which its first line names the right columns.

    Parameters
    ----------
    path
        Comma, semicolon, tab or bar; a first line `sep=;` is understood; UTF-8, UTF-16 with a
        mark, or else Windows-1252.
    can_head
        Whether a line that names these columns, in lower case, heads such a table.
    wanted
        What the first line must name, for the error.
    option
        The flag that the file was given with, for the error.

    Raises
    ------
    UsageError
        For a file that cannot be read, is not text, or has no such first line.
    """

    def __init__(
        self, path: Path, can_head: Callable[[Sequence[str]], bool], wanted: str, option: str
    ) -> None:
        self.path = path
        text, self.notes = _decoded(path, option)
        self._lines = list(io.StringIO(text, newline=""))
        first = 0
        separators: Sequence[str] = SEPARATORS
        named = self._lines and re.fullmatch(
            r"\s*\"?sep=(.)\"?\s*", self._lines[0].rstrip("\r\n"), re.I
        )
        if named:
            first, separators = 1, (named[1],)
        heading = self._lines[first] if len(self._lines) > first else ""
        fitting = (one for one in separators if can_head(_names(heading, one)))
        separator = next(fitting, None)
        if separator is None:
            raise UsageError(f"{path}, line {first + 1}: {shown(heading)} must name {wanted}")
        self._separator = separator
        self.heading = Heading(first + 1, heading, _names(heading, separator))

    def rows(self, names: Sequence[str] | None = None) -> Iterator[Row]:
        """Every line after the first that is not blank; `names`: other names of its columns.

        Raises UsageError for one with more or fewer cells, csv.Error for what is no table.
        """
        names = self.heading.names if names is None else names
        skipped = self.heading.line
        reader: Any = csv.reader(self._lines[skipped:], delimiter=self._separator, strict=False)
        while True:
            begins = skipped + reader.line_num
            cells = next(reader, None)
            if cells is None:
                return
            row = Row(begins + 1, self._lines[begins].rstrip("\r\n"), {})
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names):
                raise UsageError(
                    f"{self.place(row)}: more cells than the first line names: quote a cell that "
                    "holds a separator, or separate by semicolons"
                )
            if len(cells) < len(names):
                raise UsageError(
                    f"{self.place(row)}: fewer cells than the first line names: leave a cell "
                    "empty, not away"
                )
            pairs = zip(names, cells, strict=True)
            row.cells.update((name, cell.strip()) for name, cell in pairs if name)
            yield row

    def place(self, row: Row) -> str:
        """The file and the line, for messages."""
        return f"{self.path}, line {row.line} ({shown(row.text)})"


def check_decimals(table: TextTable, rows: Sequence[Row], names: Sequence[str]) -> None:
    """Raises UsageError for both decimal commas and points: one may separate thousands."""
    first: dict[str, Row] = {}
    for row in rows:
        for name in names:
            cell = row.cells.get(name, "")
            if name in DIMENSIONS and _NUMBER.fullmatch(cell):
                for mark in ".,":
                    if mark in cell:
                        first.setdefault(mark, row)
    if len(first) == 2:
        point, comma = first["."], first[","]
        raise UsageError(
            f"{table.place(comma)} has a decimal comma, line {point.line} "
            f"({shown(point.text)}) a decimal point: write all numbers in one way"
        )


def scales_of(table: TextTable, rows: Sequence[Row], ask: Ask | None) -> Scales:
    """[-1, 1] if all values of dimensions lie in it; else the scale must be given."""
    values = [
        (number(name, row.cells[name]), row)
        for row in rows
        for name in DIMENSIONS
        if row.cells.get(name) and _NUMBER.fullmatch(row.cells[name])
    ]
    outside = next(((v, row) for v, row in values if v is not None and not -1 <= v <= 1), None)
    if outside is None:
        return Scales.usual()
    low = min(v for v, _ in values if v is not None)
    high = max(v for v, _ in values if v is not None)
    choices = suggested(low, high)
    found = f"the values reach from {low:g} to {high:g}, not only from -1 to 1"
    if ask is not None:
        asked = f"{table.place(outside[1])}: {found}. On which scale are they?"
        return Scales.parse(ask(asked, choices))
    raise UsageError(
        f"{table.place(outside[1])}: {found}: give their scale, such as --scale "
        f"{' or '.join(choices)}; in the other order where 1 is the most"
    )


def number(name: str, cell: str) -> float | None:
    """Parse a number, without Python-only forms such as 0_1, infinity and non-ASCII digits."""
    if is_missing(cell):
        return None
    if not _NUMBER.fullmatch(cell):
        raise UsageError(f"{name} is {cell!r}; give a number")
    return float(cell.replace(",", "."))


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing("N/A"), is_missing("0")
    (True, False)
    """
    return cell.lower() in _EMPTY


def shown(line: str) -> str:
    """A line for a message: printable, in quotation marks, not too long."""
    text = printable(line.rstrip("\r\n"))
    return f"'{text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '…'}'"


def inert(cell: str) -> str:
    """Text to a spreadsheet, whatever it begins with."""
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def active(cell: str) -> str:
    """The inverse of `inert`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA, "'")) else cell


def _names(heading: str, separator: str) -> list[str]:
    cells = next(csv.reader([heading.rstrip("\r\n")], delimiter=separator), [])
    return [cell.strip().lower() for cell in cells]


def _decoded(path: Path, option: str) -> tuple[str, list[str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: give an existing CSV file to {option}"
        ) from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        if encoding != "cp1252":
            return text, []
        odd = next(line for line in io.StringIO(text) if not line.isascii())
        return text, [f"read as Windows-1252, as it is not UTF-8: {shown(odd)}"]
    raise UsageError(f"{path} is not a text file: save it again as CSV, encoded in UTF-8")
