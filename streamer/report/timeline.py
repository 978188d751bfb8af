"""Valence and arousal of every utterance: means, intervals, and the labels."""

import time
from typing import Final

import numpy as np

from streamer.report.charts import (
    UNIT_TICKS,
    Axis,
    Picture,
    band,
    circle,
    levels,
    line,
    placed,
    polyline,
    rect,
    text,
    thinned,
)
from streamer.report.record import Record
from streamer.text import many
from streamer.types import DIMENSIONS

WIDTH: Final = 980
_ROW: Final = 168
_GAP: Final = 30
_LEFT, _RIGHT, _TOP = 40, 14, 22
# With more utterances than this, neighbours are drawn as one.
_COLUMNS: Final = 320
_WIDEST_BAR: Final = 9.0
_MARKS: Final = 600
_SESSION_NAME_WIDTH: Final = 96.0
_SHOWN: Final = DIMENSIONS[:2]


def timeline(record: Record) -> Picture:
    """One column an utterance, in order; each session begins at a dotted line with its date."""
    height = _TOP + len(_SHOWN) * (_ROW + _GAP)
    count = max(len(record.heard), 2)
    across = Axis(-0.5, count - 0.5, _LEFT, WIDTH - _RIGHT)
    parts = [_sessions(record, across, height)]
    for row, dimension in enumerate(_SHOWN):
        top = _TOP + row * (_ROW + _GAP)
        up = Axis(-1.0, 1.0, top + _ROW, top + 8)
        parts.append(text(dimension.capitalize(), _LEFT, top + 2, "name"))
        parts.append(levels(up, _LEFT, WIDTH - _RIGHT, UNIT_TICKS, "+g"))
        parts.append(_predictions(record, dimension, across, up))
        parts.append(_labels(record, dimension, across, up))
    heard = many(len(record.heard), "utterance")
    parts.append(text(heard, WIDTH - _RIGHT, height - 6, "tick end"))
    return Picture("Valence and arousal of every utterance", WIDTH, height, "".join(parts))


def _predictions(record: Record, dimension: str, across: Axis, up: Axis) -> str:
    """A bar and a dot for each utterance; of very many, a band and a line through the means."""
    shown = [(at, getattr(row.prediction, dimension)) for at, row in record.predicted()]
    if not shown:
        return ""
    places = np.array([at for at, _ in shown], np.float64)
    rows = np.array([(e.low, e.mean, e.high) for _, e in shown], np.float64)
    groups = np.array_split(np.arange(len(rows)), min(len(rows), _COLUMNS))
    xs = [across(float(places[group].mean())) for group in groups]
    heights = np.array([rows[group].mean(axis=0) for group in groups], np.float64)
    lows, means, highs = (placed(up, column) for column in heights.T)
    if len(rows) > _COLUMNS:
        return band("band v", xs, lows, highs) + polyline("line v", xs, means)
    width = min(_WIDEST_BAR, 0.7 * (xs[-1] - xs[0]) / max(len(xs) - 1, 1) or _WIDEST_BAR)
    bars = [
        rect("band v", x - width / 2, high, width, low - high)
        for x, low, high in zip(xs, lows, highs, strict=True)
    ]
    dots = [circle("dot", x, y, min(width / 2, 3)) for x, y in zip(xs, means, strict=True)]
    return "".join(bars + dots)


def _labels(record: Record, dimension: str, across: Axis, up: Axis) -> str:
    """The labels; of very many, every n-th."""
    places = {row.id: at for at, row in enumerate(record.heard)}
    given = [label for label in record.labels if getattr(label, dimension) is not None]
    parts = []
    for label in thinned(given, _MARKS):
        value = getattr(label, dimension)
        hint = f"#{label.utterance}, {label.annotator}: {dimension} {value:+.2f}"
        x, y = across(places[label.utterance]), up(value)
        parts.append(circle("label", x, y, 3.6 if len(given) < _COLUMNS / 2 else 2.6, hint))
    return "".join(parts)


def _sessions(record: Record, across: Axis, height: int) -> str:
    parts = []
    free = -1.0
    first: dict[int, int] = {}
    for at, row in enumerate(record.heard):
        first.setdefault(row.session, at)
    started = {row.id: row.started_at for row in record.sessions}
    for session, at in first.items():
        x = across(at - 0.5)
        parts.append(line("session", x, _TOP + 8, x, height - _GAP))
        if free <= x <= WIDTH - _RIGHT - 2 * _SESSION_NAME_WIDTH:
            day = time.strftime("%d %b %H:%M", time.localtime(started[session]))
            parts.append(text(day, x + 4, height - 6, "tick"))
            free = x + _SESSION_NAME_WIDTH
    return "".join(parts)
