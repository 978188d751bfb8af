"""Learning curves as SVG: drawn by hand, without a script, for a page that shows or prints them."""

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from streamer.evaluation.curves import Curve
from streamer.evaluation.leaderboard import PASSIVE, Board
from streamer.report.axis import Axis
from streamer.types import Vector

WIDTH: Final = 640
HEIGHT: Final = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 158, 14, 44
COLOURS: Final = 6
_LABEL_HEIGHT: Final = 15.0


def draw(board: Board, strategies: Sequence[str]) -> str:
    """One `<svg>`: at most `COLOURS` strategies in colour, in this order, the rest in grey.

    Passive learning is dashed, and its best a dotted line across. It and the first of the
    strategies have bands of one deviation; those of all would hide one another.
    """
    coloured = [*strategies[:COLOURS], PASSIVE]
    across, up = _axes(board, coloured)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Learning curves: {escape(board.name)} over labels">'
    ]
    parts += _frame(across, up)
    best = up(board.passive_best)
    parts.append(
        f'<line class="level" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{best}" y2="{best}"/>'
    )
    others = [name for name in board.curves if name not in coloured]
    parts += [_line(board.curves[name], across, up, "other") for name in others]
    for name in reversed(coloured):
        kind = _kind(name, coloured)
        if name in (PASSIVE, coloured[0]):
            parts.append(_band(board.curves[name], across, up, kind))
        parts.append(_line(board.curves[name], across, up, kind))
    parts += _names(board, coloured, up)
    return "\n".join([*parts, "</svg>"])


def _kind(name: str, coloured: Sequence[str]) -> str:
    return "passive" if name == PASSIVE else f"c{coloured.index(name)}"


def _axes(board: Board, coloured: Sequence[str]) -> tuple[Axis, Axis]:
    shown = [board.curves[name] for name in coloured]
    first = min(float(curve.labels[0]) for curve in shown)
    last = max(float(curve.labels[-1]) for curve in shown)
    heights = np.concatenate([curve.mean for curve in shown])
    low, high = float(heights.min()), float(heights.max())
    room = max(0.08 * (high - low), 1e-3)
    return (
        Axis(first, max(last, first + 1.0), _LEFT, WIDTH - _RIGHT),
        Axis(low - room, high + room, HEIGHT - _BOTTOM, _TOP),
    )


def _frame(across: Axis, up: Axis) -> list[str]:
    """Grid, ticks and the name of the horizontal axis."""
    parts = []
    for value in up.ticks():
        y = up(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4}">{value:g}</text>')
    floor = HEIGHT - _BOTTOM
    for value in across.ticks():
        x = across(value)
        parts.append(f'<text class="tick under" x="{x}" y="{floor + 18}">{value:g}</text>')
    parts.append(
        f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
    )
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text class="tick under" x="{middle}" y="{HEIGHT - 8}">labels given</text>')
    return parts


def _line(curve: Curve, across: Axis, up: Axis, kind: str) -> str:
    return f'<polyline class="{kind}" points="{_points(curve.labels, curve.mean, across, up)}"/>'


def _band(curve: Curve, across: Axis, up: Axis, kind: str) -> str:
    """One standard deviation to either side, within the frame."""
    low, high = (
        np.clip(curve.mean + side * curve.deviation, up.low, up.high) for side in (-1.0, 1.0)
    )
    outline = (
        f"{_points(curve.labels, high, across, up)} "
        f"{_points(curve.labels[::-1], low[::-1], across, up)}"
    )
    return f'<polygon class="band {kind}" points="{outline}"/>'


def _points(labels: Vector, heights: Vector, across: Axis, up: Axis) -> str:
    return " ".join(
        f"{across(float(x))},{up(float(y))}" for x, y in zip(labels, heights, strict=True)
    )


def _names(board: Board, coloured: Sequence[str], up: Axis) -> list[str]:
    """Each curve's name at its end, pushed apart where they would overlap."""
    ends = sorted((up(float(board.curves[name].mean[-1])), name) for name in coloured)
    places: list[float] = []
    for y, _ in ends:
        places.append(max(y, places[-1] + _LABEL_HEIGHT) if places else max(y, _TOP + 6.0))
    # What was pushed below the frame goes up again, and takes the others with it.
    limit = float(HEIGHT - _BOTTOM)
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - _LABEL_HEIGHT
    x = WIDTH - _RIGHT
    return [
        f'<path class="lead {_kind(name, coloured)}" d="M{x} {y} L{x + 10} {place:.1f}"/>'
        f'<text class="name {_kind(name, coloured)}" x="{x + 13}" y="{place + 4:.1f}">'
        f"{escape(name)}</text>"
        for (y, name), place in zip(ends, places, strict=True)
    ]
