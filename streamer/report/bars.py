"""Stacked bars: the fate of the utterances, and the accounting of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streamer.report.charts import Picture, rect, text
from streamer.report.record import Record

WIDTH: Final = 460
_BAR: Final = 26.0
_ROW: Final = 22.0


@dataclass(frozen=True, slots=True)
class Part:
    """kind: a class of the style sheet; name: written below the bar, after the size."""

    kind: str
    size: int
    name: str


def questions(record: Record) -> Picture:
    """The fate of every utterance."""
    fates = record.fates()
    return bar(
        "Utterances by fate",
        [
            Part("part-a", fates["answered"], "asked and answered"),
            Part("part-b", fates["open"], "asked, still open"),
            Part("part-c", fates["closed"], "asked, closed without an answer"),
            Part("part-f", fates["answered unasked"], "answered unasked"),
            Part("part-d", fates["in the buffer"], "in the buffer"),
            Part("part-e", fates["let go"], "released without a question"),
        ],
    )


def samples(record: Record) -> Picture:
    """The samples of the sessions that ended: captured = speech + silence + dropped."""
    ended = [row.accounting for row in record.sessions if row.accounting is not None]
    dropped = sum(sum(row["dropped_samples"].values()) for row in ended)
    return bar(
        "Samples",
        [
            Part("part-a", sum(row["speech_samples"] for row in ended), "samples of speech"),
            Part("part-e", sum(row["silence_samples"] for row in ended), "samples of silence"),
            Part("part-bad", dropped, "samples dropped"),
        ],
    )


def bar(title: str, parts: Sequence[Part]) -> Picture:
    """Parts from left to right, and a line for each that is not empty."""
    shown = [part for part in parts if part.size]
    whole = sum(part.size for part in shown)
    drawn, x = [], 0.0
    for row, part in enumerate(shown):
        width = WIDTH * part.size / whole
        y = _BAR + _ROW * (row + 1)
        drawn.append(rect(part.kind, x, 0.0, width - 1.5 * (row < len(shown) - 1), _BAR))
        drawn.append(rect(part.kind, 0.0, y - 10.0, 11.0, 11.0))
        drawn.append(text(f"{part.size:,} {part.name}", 18.0, y, "bar-name"))
        drawn.append(text(f"{part.size / whole:.0%}", WIDTH, y, "tick end"))
        x += width
    return Picture(title, WIDTH, round(_BAR + _ROW * len(shown) + 8.0), "".join(drawn))
