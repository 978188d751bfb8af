"""Labels as a CSV file: utterance,valence,arousal[,dominance][,emotion][,annotator]."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from streamer.annotation.labels import one
from streamer.errors import UsageError
from streamer.learners.answers import checked_answer
from streamer.store.labels import UNIT
from streamer.types import Label

COLUMNS: Final = ("utterance", "valence", "arousal", "dominance", "emotion", "annotator")
# A spreadsheet would run a cell that begins so as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def read_labels(path: Path, annotator: str, scale: tuple[float, float] = UNIT) -> list[Label]:
    """Labels of a file, with values on `scale` (low, high).

    An empty cell is no answer; each row must be a complete answer, see `labels.one`. Emotions
    alone need no other columns. Raises UsageError naming the file and the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [(name or "").strip() for name in reader.fieldnames or []]
            if not _can_head(names):
                raise UsageError(
                    f"{path}, line 1: {','.join(names)!r} must name the columns "
                    f"{','.join(COLUMNS)}, each once: utterance, and valence and arousal, or "
                    "emotion, or all of them; the rest as needed"
                )
            reader.fieldnames = names
            labels = []
            for row in reader:
                if any(row.values()):
                    try:
                        labels.append(checked_answer(_label(row, annotator), scale))
                    except UsageError as error:
                        raise UsageError(f"{path}, line {reader.line_num}: {error}") from error
            return labels
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: give an existing CSV file to --import"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a CSV file in UTF-8 ({error}): save it anew as CSV, encoded in UTF-8"
        ) from error


def _can_head(names: Sequence[str]) -> bool:
    """These columns can hold whole answers."""
    values = {"valence", "arousal"} & set(names)
    return (
        "utterance" in names
        and set(names) <= set(COLUMNS)
        and len(set(names)) == len(names)
        and (len(values) == 2 or ("emotion" in names and not values and "dominance" not in names))
    )


def write_labels(labels: Iterable[Label]) -> str:
    """The text of a file that `read_labels` reads, names that a spreadsheet would run quoted."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for label in labels:
        writer.writerow(_cells(label))
    return file.getvalue()


def _label(row: dict[str, str | None], annotator: str) -> Label:
    def number(column: str) -> float | None:
        cell = (row.get(column) or "").strip()
        try:
            return float(cell) if cell else None
        except ValueError:
            raise UsageError(f"{column} is {cell!r}; give a number") from None

    if None in row:
        raise UsageError("more cells than the first line names: quote a cell that holds a comma")
    if None in row.values():
        raise UsageError("fewer cells than the first line names: leave a cell empty, not away")
    try:
        utterance = int((row["utterance"] or "").strip())
    except ValueError:
        raise UsageError(f"utterance is {row['utterance']!r}; give its number") from None
    return one(
        utterance,
        number("valence"),
        number("arousal"),
        number("dominance"),
        (row.get("emotion") or "").strip() or None,
        (row.get("annotator") or "").strip() or annotator,
    )


def _cells(label: Label) -> list[Any]:
    values = [label.valence, label.arousal, label.dominance]
    names = [label.emotion or "", label.annotator]
    return [label.utterance, *("" if v is None else v for v in values), *map(_inert, names)]


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
