"""CSV files of labels, from spreadsheets in any locale, from data frames or written by hand.

Ambiguity is not resolved by guessing: `read_labels` asks the user, showing the line, or raises an
error where it cannot ask. Skipped parts and assumptions, such as the encoding, are reported.
"""

import csv
import difflib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.labels import one
from streamer.annotation.scales import Scales
from streamer.annotation.text_table import (
    Ask,
    Row,
    TextTable,
    active,
    check_decimals,
    inert,
    is_missing,
    number,
    scales_of,
    shown,
)
from streamer.errors import UsageError
from streamer.learners.answers import checked_answer
from streamer.text import many
from streamer.types import DIMENSIONS, Label

COLUMNS: Final = ("utterance", "valence", "arousal", "dominance", "emotion", "annotator")
# In place of an utterance's number: which stretch of which recording; and other names for them.
TIMES: Final = ("source", "onset", "offset")
# Columns for who fills a table in, where the number says which utterance: nothing to report.
CONTEXT: Final = {*TIMES, "clip"}
_OTHER_NAMES: Final = {"file": "source", "onset_s": "onset", "offset_s": "offset"}
_WHOLE: Final = re.compile(r"([+-]?\d{1,40})([.,]0*)?", re.ASCII)
_ALIKE: Final = 0.75
_WANTED: Final = (
    f"the columns {','.join(COLUMNS)}, each once, separated by commas, semicolons or tabs: "
    f"utterance (or {','.join(TIMES)}), and valence and arousal, or emotion, or all of them; the "
    "rest as needed"
)


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
    try:
        table = TextTable(path, _can_head, _WANTED, "--import")
        names, rows, left_out = _table(table, ask)
    except csv.Error as error:
        raise UsageError(f"{path} is not a CSV file ({error}): save it again as CSV") from error
    notes = list(table.notes)
    if left_out:
        notes.append(f"left out {'column' if len(left_out) == 1 else 'columns'} "
                     f"{', '.join(map(repr, left_out))}")  # fmt: skip
    check_decimals(table, rows, names)
    if scales is None:
        scales = scales_of(table, rows, ask)
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
            raise UsageError(f"{table.place(row)}: {error}") from error
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


def _table(table: TextTable, ask: Ask | None) -> tuple[list[str], list[Row], list[str]]:
    """The columns that are known, the rows that are not blank, the columns that are left out."""
    names = table.heading.names
    if "utterance" not in names:
        names = [_OTHER_NAMES.get(name, name) for name in names]
    known = _known(names)
    context = CONTEXT if "utterance" in names else set()
    left_out = [name for name in names if name and name not in known and name not in context]
    for name in left_out:
        _check_spelling(table, name, names, ask)
    return [name for name in names if name in known], list(table.rows(names)), left_out


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


def _check_spelling(table: TextTable, name: str, names: Sequence[str], ask: Ask | None) -> None:
    """Ask about a column whose name is nearly a known one."""
    absent = [column for column in COLUMNS if column not in names]
    near = difflib.get_close_matches(name, absent, 1, _ALIKE)
    if not near:
        return
    place = f"{table.path}, line {table.heading.line}: {shown(table.heading.text)}"
    if ask is None:
        raise UsageError(f"{place}: is {name!r} meant as {near[0]!r}? Name it so, or differently")
    if ask(f"{place}: column {name!r} is not {near[0]!r}. Leave it out?", ("yes", "no")) != "yes":
        raise UsageError(f"{place}: name the column {near[0]!r} in the file")


def _is_unanswered(row: Row) -> bool:
    return all(is_missing(row.cells.get(name, "")) for name in (*DIMENSIONS, "emotion"))


def _label(row: Row, annotator: str, scales: Scales) -> Label:
    cells = row.cells
    whole = _WHOLE.fullmatch(cells["utterance"])
    if whole is None:
        raise UsageError(f"utterance is {cells['utterance']!r}; give its number")
    valence, arousal, dominance = (number(name, cells.get(name, "")) for name in DIMENSIONS)
    emotion, whose = (active(cells.get(name, "")) for name in ("emotion", "annotator"))
    return one(
        int(whole[1]),
        *scales.all_to_kept(valence, arousal, dominance),
        None if is_missing(emotion) else emotion,
        annotator if is_missing(whose) else whose,
    )


def _timed(path: Path, row: Row) -> TimedLabel:
    cells = row.cells
    onset_s, offset_s = number("onset", cells["onset"]), number("offset", cells["offset"])
    if onset_s is None or offset_s is None or not 0.0 <= onset_s < offset_s:
        raise UsageError(
            f"onset {cells['onset']!r}, offset {cells['offset']!r}: give seconds, onset < offset"
        )
    values = {name: number(name, cells.get(name, "")) for name in DIMENSIONS}
    emotion, whose = (active(cells.get(name, "")) for name in ("emotion", "annotator"))
    return TimedLabel(
        active(cells.get("source", "")),
        onset_s,
        offset_s,
        {name: value for name, value in values.items() if value is not None},
        None if is_missing(emotion) else emotion,
        None if is_missing(whose) else whose,
        place=f"{path}, line {row.line}",
    )
