"""CSV files of labels, from spreadsheets in any locale, from data frames or written by hand.

Ambiguity is not resolved by guessing: `read_labels` asks the user, showing the line, or raises an
error where it cannot ask. Skipped parts and assumptions, such as the encoding, are reported.
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.labels import one
from streamer.annotation.scales import Scales, suggested
from streamer.errors import UsageError
from streamer.learners.answers import checked_answer
from streamer.text import many, printable
from streamer.types import DIMENSIONS, Label

COLUMNS: Final = ("utterance", "valence", "arousal", "dominance", "emotion", "annotator")
# In place of an utterance's number: which stretch of which recording; and other names for them.
TIMES: Final = ("source", "onset", "offset")
# Columns for who fills a table in, where the number says which utterance: nothing to report.
CONTEXT: Final = {*TIMES, "clip"}
_OTHER_NAMES: Final = {"file": "source", "onset_s": "onset", "offset_s": "offset"}
SEPARATORS: Final = (",", ";", "\t", "|")
# How missing values are written by R, pandas and spreadsheets.
_EMPTY: Final = {"", "na", "n/a", "nan", "null", "none", "#n/a"}
# A spreadsheet runs a cell that begins so as a formula; wide forms are taken for the same.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE: Final = re.compile(r"([+-]?\d{1,40})([.,]0*)?", re.ASCII)
_LONGEST_SHOWN: Final = 120
_ALIKE: Final = 0.75

# A question and its possible answers; the answer. Raises UsageError where nobody answers.
Ask = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class LabelFile:
    """labels: on `scale` (low, high). notes: for the user, on how the file was read.

    timed: of a table without utterance numbers, in place of labels; on the scales of the file.
    """

    labels: list[Label]
    scale: tuple[float, float]
    notes: list[str]
    timed: list[TimedLabel] = field(default_factory=list)
    scales: Scales | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    text: str
    cells: dict[str, str]


def read_labels(
    path: Path, annotator: str, scales: Scales | None = None, ask: Ask | None = None
) -> LabelFile:
    """Labels of a table: utterance,valence,arousal[,dominance][,emotion][,annotator].

    Or, by time, source,onset,offset in place of utterance; also as the columns file, onset_s and
    offset_s of `streamer table`. The source may be missing, where there is only one.

    Parameters
    ----------
    path : Path
        Separated by commas, semicolons, tabs or bars; decimal points or commas; UTF-8, UTF-16 or
        Windows-1252; a first line `sep=;` is understood, other columns are left out.
    annotator : str
        Whose answers those are that name nobody.
    scales : Scales, optional
        On which the values are; where it is None they are in [-1, 1], or it is asked.
    ask : callable, optional
        Asks a person; where it is None, an open question is an error.

    Returns
    -------
    LabelFile
        One label a row that holds an answer; a row is as whole as `labels.one` wants it.

    Raises
    ------
    UsageError
        Naming the file and the line.
    """
    text, notes = _decoded(path)
    try:
        names, rows, left_out = _table(path, text, ask)
    except csv.Error as error:
        raise UsageError(f"{path} is not a CSV file ({error}): save it again as CSV") from error
    if left_out:
        notes.append(f"left out {'column' if len(left_out) == 1 else 'columns'} "
                     f"{', '.join(map(repr, left_out))}")  # fmt: skip
    _check_decimals(path, rows, names)
    if scales is None:
        scales = _scales(path, rows, ask)
    labels: list[Label] = []
    timed: list[TimedLabel] = []
    unanswered = 0
    for row in rows:
        try:
            if _is_unanswered(row):
                unanswered += 1
            elif "utterance" in names:
                labels.append(checked_answer(_label(row, annotator, scales), scales.kept))
            else:
                timed.append(_timed(path, row))
        except UsageError as error:
            raise UsageError(f"{_place(path, row)}: {error}") from error
    if unanswered:
        notes.append(f"left out {many(unanswered, 'row')} without an answer")
    return LabelFile(labels, scales.kept, notes, timed, scales)


def write_labels(labels: Iterable[Label]) -> str:
    """A table on [-1, 1] that `read_labels` reads back the same, safe to open in a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for label in labels:
        values = [getattr(label, name) for name in DIMENSIONS]
        names = [label.emotion or "", label.annotator]
        writer.writerow(
            [label.utterance, *("" if v is None else v for v in values), *map(inert, names)]
        )
    return file.getvalue()


def write_timed_labels(labels: Iterable[TimedLabel]) -> str:
    """A table by time that `read_labels` reads back, safe to open in a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([*TIMES, *COLUMNS[1:]])
    for label in labels:
        values = [label.values.get(name, "") for name in DIMENSIONS]
        names = [inert(label.emotion or ""), inert(label.annotator or "")]
        writer.writerow([inert(label.source), label.onset_s, label.offset_s, *values, *names])
    return file.getvalue()


def inert(cell: str) -> str:
    """Text to a spreadsheet, whatever it begins with."""
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell


def _active(cell: str) -> str:
    """The inverse of `inert`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA, "'")) else cell


def _decoded(path: Path) -> tuple[str, list[str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: give an existing CSV file to --import"
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
        return text, [f"read as Windows-1252, as it is not UTF-8: {_shown(odd)}"]
    raise UsageError(f"{path} is not a text file: save it again as CSV, encoded in UTF-8")


def _table(path: Path, text: str, ask: Ask | None) -> tuple[list[str], list[_Row], list[str]]:
    """The columns that are known, the rows that are not blank, the columns that are left out."""
    lines = list(io.StringIO(text, newline=""))
    skipped = 0
    separators: Sequence[str] = SEPARATORS
    if lines and (named := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0].rstrip("\r\n"), re.I)):
        separators, skipped = (named[1],), 1
    heading = lines[skipped] if len(lines) > skipped else ""
    separator = next((s for s in separators if _can_head(_names(heading, s))), None)
    if separator is None:
        raise UsageError(
            f"{path}, line {skipped + 1}: {_shown(heading)} must name the columns "
            f"{','.join(COLUMNS)}, each once, separated by commas, semicolons or tabs: utterance "
            f"(or {','.join(TIMES)}), and valence and arousal, or emotion, or all of them; the "
            "rest as needed"
        )
    names = _names(heading, separator)
    if "utterance" not in names:
        names = [_OTHER_NAMES.get(name, name) for name in names]
    known = _known(names)
    context = CONTEXT if "utterance" in names else set()
    left_out = [name for name in names if name and name not in known and name not in context]
    for name in left_out:
        _check_spelling(path, skipped + 1, heading, name, names, ask)
    reader = csv.reader(lines[skipped + 1 :], delimiter=separator, strict=False)
    rows = list(_rows(path, reader, lines, skipped + 1, names))
    return [name for name in names if name in known], rows, left_out


def _names(heading: str, separator: str) -> list[str]:
    cells = next(csv.reader([heading.rstrip("\r\n")], delimiter=separator), [])
    return [cell.strip().lower() for cell in cells]


def _known(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are read: those of times only where no number says which utterance."""
    return COLUMNS if "utterance" in names else (*COLUMNS, *TIMES)


def _can_head(names: Sequence[str]) -> bool:
    """Whether these columns can make complete labels."""
    if "utterance" not in names:
        names = [_OTHER_NAMES.get(name, name) for name in names]
    known = [name for name in names if name in _known(names)]
    values = {"valence", "arousal"} & set(known)
    return (
        ("utterance" in known or {"onset", "offset"} <= set(known))
        and len(set(known)) == len(known)
        and (len(values) == 2 or ("emotion" in known and not values and "dominance" not in known))
    )


def _check_spelling(
    path: Path, line: int, heading: str, name: str, names: Sequence[str], ask: Ask | None
) -> None:
    """Ask about a column whose name is nearly a known one."""
    absent = [column for column in COLUMNS if column not in names]
    near = difflib.get_close_matches(name, absent, 1, _ALIKE)
    if not near:
        return
    place = f"{path}, line {line}: {_shown(heading)}"
    if ask is None:
        raise UsageError(f"{place}: is {name!r} meant as {near[0]!r}? Name it so, or differently")
    if ask(f"{place}: column {name!r} is not {near[0]!r}. Leave it out?", ("yes", "no")) != "yes":
        raise UsageError(f"{place}: name the column {near[0]!r} in the file")


def _rows(
    path: Path, reader: Any, lines: Sequence[str], skipped: int, names: list[str]
) -> Iterator[_Row]:
    while True:
        begins = skipped + reader.line_num
        cells = next(reader, None)
        if cells is None:
            return
        row = _Row(begins + 1, lines[begins].rstrip("\r\n"), {})
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names):
            raise UsageError(
                f"{_place(path, row)}: more cells than the first line names: quote a cell that "
                "holds a separator, or separate by semicolons"
            )
        if len(cells) < len(names):
            raise UsageError(
                f"{_place(path, row)}: fewer cells than the first line names: leave a cell empty, "
                "not away"
            )
        pairs = zip(names, cells, strict=True)
        row.cells.update((name, cell.strip()) for name, cell in pairs if name in _known(names))
        yield row


def _check_decimals(path: Path, rows: Sequence[_Row], names: Sequence[str]) -> None:
    """Reject files with both decimal commas and points: one of them may separate thousands."""
    first: dict[str, _Row] = {}
    for row in rows:
        for name in names:
            if name in DIMENSIONS and _NUMBER.fullmatch(row.cells[name]):
                for mark in ".,":
                    if mark in row.cells[name]:
                        first.setdefault(mark, row)
    if len(first) == 2:
        point, comma = first["."], first[","]
        raise UsageError(
            f"{_place(path, comma)} has a decimal comma, line {point.line} "
            f"({_shown(point.text)}) a decimal point: write all numbers in one way"
        )


def _scales(path: Path, rows: Sequence[_Row], ask: Ask | None) -> Scales:
    """[-1, 1] if all values lie in it; else the scale must be given."""
    values = [
        (_number(name, row.cells[name]), row)
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
        asked = f"{_place(path, outside[1])}: {found}. On which scale are they?"
        return Scales.parse(ask(asked, choices))
    raise UsageError(
        f"{_place(path, outside[1])}: {found}: give their scale, such as --scale "
        f"{' or '.join(choices)}; in the other order where 1 is the most"
    )


def _is_unanswered(row: _Row) -> bool:
    return all(row.cells.get(name, "").lower() in _EMPTY for name in (*DIMENSIONS, "emotion"))


def _label(row: _Row, annotator: str, scales: Scales) -> Label:
    cells = row.cells
    whole = _WHOLE.fullmatch(cells["utterance"])
    if whole is None:
        raise UsageError(f"utterance is {cells['utterance']!r}; give its number")
    valence, arousal, dominance = (_number(name, cells.get(name, "")) for name in DIMENSIONS)
    emotion, whose = (_active(cells.get(name, "")) for name in ("emotion", "annotator"))
    return one(
        int(whole[1]),
        *scales.all_to_kept(valence, arousal, dominance),
        None if emotion.lower() in _EMPTY else emotion,
        annotator if whose.lower() in _EMPTY else whose,
    )


def _timed(path: Path, row: _Row) -> TimedLabel:
    cells = row.cells
    onset_s, offset_s = _number("onset", cells["onset"]), _number("offset", cells["offset"])
    if onset_s is None or offset_s is None or not 0.0 <= onset_s < offset_s:
        raise UsageError(
            f"onset {cells['onset']!r}, offset {cells['offset']!r}: give seconds, onset < offset"
        )
    values = {name: _number(name, cells.get(name, "")) for name in DIMENSIONS}
    emotion, whose = (_active(cells.get(name, "")) for name in ("emotion", "annotator"))
    return TimedLabel(
        _active(cells.get("source", "")),
        onset_s,
        offset_s,
        {name: value for name, value in values.items() if value is not None},
        None if emotion.lower() in _EMPTY else emotion,
        None if whose.lower() in _EMPTY else whose,
        place=f"{path}, line {row.line}",
    )


def _number(name: str, cell: str) -> float | None:
    """Parse a number, without Python-only forms such as 0_1, infinity and non-ASCII digits."""
    if cell.lower() in _EMPTY:
        return None
    if not _NUMBER.fullmatch(cell):
        raise UsageError(f"{name} is {cell!r}; give a number")
    return float(cell.replace(",", "."))


def _place(path: Path, row: _Row) -> str:
    return f"{path}, line {row.line} ({_shown(row.text)})"


def _shown(line: str) -> str:
    text = printable(line.rstrip("\r\n"))
    return f"'{text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '…'}'"
