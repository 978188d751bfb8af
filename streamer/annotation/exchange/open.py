"""By its ending, the format of a file of labels: one door to read, one to write."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from streamer.annotation.csv import write_timed_labels
from streamer.annotation.exchange.matching import stem
from streamer.annotation.exchange.timed import TimedLabel, TimedMarker
from streamer.errors import UsageError
from streamer.system import make_private_file

# Ending, in lower case, to module. Read and written; other endings are tables.
_FORMATS: Final = {
    ".txt": "audacity",
    ".eaf": "elan",
    ".textgrid": "praat",
    ".annotation": "nova",
    ".json": "label_studio",
}
_OF_MANY: Final = {".json", ".csv"}
FORMATS: Final = "Audacity .txt, ELAN .eaf, Praat .TextGrid, NOVA .annotation, Label Studio .json"


def is_timed(path: Path) -> bool:
    """The file's format has labels by time; a table may, too."""
    return path.suffix.lower() in _FORMATS


def read_timed(path: Path) -> list[TimedLabel]:
    """The labels of a file, without those that hold no stretch of time.

    Raises UsageError, and StreamerError where a library is missing.
    """
    if not path.is_file():
        raise UsageError(f"cannot read {path}: no such file: give an existing one to --import")
    labels: list[TimedLabel] = _module(path).read(path)
    return [one for one in labels if one.offset_s > one.onset_s or one.utterance is not None]


def has_markers(path: Path) -> bool:
    """The file's format has a place for event markers."""
    return path.suffix.lower() in _FORMATS.keys() - {".annotation"}


def write_timed(
    path: Path, labels: Sequence[TimedLabel], markers: Sequence[TimedMarker] = ()
) -> None:
    """Write labels; all but tables and Label Studio's format hold one recording's.

    markers: of that recording; only where `has_markers`.

    Raises UsageError for another ending, labels of several recordings, and where there are none.
    """
    ending = path.suffix.lower()
    module = None if ending == ".csv" else _module(path)
    if not labels and not (markers and ending not in _OF_MANY):
        raise UsageError("there is no label to write: answer first (`streamer label`)")
    sources = sorted({one.source for one in labels})
    if len({stem(source) for source in sources}) > 1 and ending not in _OF_MANY:
        raise UsageError(
            f"{path}: this format holds one recording's labels, and there are some of "
            f"{', '.join(sources[:5])}: choose one with --recording"
        )
    make_private_file(path)
    ordered = sorted(labels, key=lambda one: (one.source, one.onset_s))
    if module is None:
        _write_table(path, ordered)
    elif markers:
        module.write(path, ordered, sorted(markers, key=lambda one: one.at_s))
    else:
        module.write(path, ordered)


def _write_table(path: Path, labels: Sequence[TimedLabel]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(write_timed_labels(labels))


def _module(path: Path) -> ModuleType:
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        raise UsageError(f"{path}: no known format of labels: give {FORMATS}, or a table .csv")
    return importlib.import_module(f"streamer.annotation.exchange.{name}")
