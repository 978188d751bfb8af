"""Audacity's label tracks: a line a label, onset, offset and text, separated by tabs.

A line that begins with a backslash holds the frequencies of the label before it, and is not read.
"""

from collections.abc import Sequence
from pathlib import Path

from streamer.annotation.exchange.timed import (
    TimedLabel,
    TimedMarker,
    number,
    read_text,
    write_text,
)
from streamer.errors import UsageError


def read(path: Path) -> list[TimedLabel]:
    """Raises UsageError with the line."""
    labels = []
    try:
        text = path.read_text("utf-8-sig")
    except ValueError as error:
        raise UsageError(f"{path} is no text in UTF-8: export the labels again") from error
    for count, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        parts = line.split("\t", 2)
        place = f"{path}, line {count}"
        try:
            onset_s, offset_s = number(parts[0]), number(parts[1])
            values, emotion = read_text(parts[2] if len(parts) > 2 else "")
        except (IndexError, UsageError) as error:
            raise UsageError(
                f"{place} ({line.strip()[:60]!r}): give onset, offset and text, separated by tabs, "
                "as Audacity exports labels"
            ) from error
        labels.append(TimedLabel(path.stem, onset_s, offset_s, values, emotion, place=place))
    return labels


def write(path: Path, labels: Sequence[TimedLabel], markers: Sequence[TimedMarker] = ()) -> None:
    """A marker is a point label, whose end is its beginning."""
    lines = [(one.onset_s, one.offset_s, write_text(one)) for one in labels]
    lines += [(one.at_s, one.at_s, one.name) for one in markers]
    text = "".join(f"{begin:.6f}\t{end:.6f}\t{said}\n" for begin, end, said in sorted(lines))
    path.write_text(text, "utf-8")
