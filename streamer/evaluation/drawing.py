"""Learning curves as static SVG, for the screen and for print."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streamer.evaluation.curves import Curve
from streamer.evaluation.leaderboard import PASSIVE, Board
from streamer.report.charts import (
    Axis,
    Picture,
    band,
    levels,
    line,
    path,
    placed,
    polyline,
    spread_apart,
    text,
)

WIDTH: Final = 640
HEIGHT: Final = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 158, 14, 44
COLOURS: Final = 6
_LABEL_HEIGHT: Final = 15.0


def draw(board: Board, strategies: Sequence[str]) -> str:
    """One `<svg>`: the first `COLOURS` strategies in colour, the rest in grey.

    Passive learning is dashed, with a dotted horizontal line at its best. Passive learning and the
    first strategy have bands of one standard deviation; more bands would overlap.
    """
    coloured = [*strategies[:COLOURS], PASSIVE]
    across, up = _axes(board, coloured)
    best = up(board.passive_best)
    parts = [_frame(across, up), line("level", _LEFT, best, WIDTH - _RIGHT, best)]
    others = [name for name in board.curves if name not in coloured]
    parts += [_line(board.curves[name], across, up, "other") for name in others]
    for name in reversed(coloured):
        kind = _kind(name, coloured)
        if name in (PASSIVE, coloured[0]):
            parts.append(_band(board.curves[name], across, up, kind))
        parts.append(_line(board.curves[name], across, up, kind))
    parts += _names(board, coloured, up)
    title = f"Learning curves: {board.name} over labels"
    return Picture(title, WIDTH, HEIGHT, "".join(parts)).svg()


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


def _frame(across: Axis, up: Axis) -> str:
    """Grid, ticks and the name of the horizontal axis."""
    floor, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    ticks = [
        text(f"{value:g}", across(value), floor + 18, "tick middle") for value in across.ticks()
    ]
    return (
        levels(up, _LEFT, right, up.ticks())
        + "".join(ticks)
        + line("axis", _LEFT, floor, right, floor)
        + text("labels given", (_LEFT + right) / 2, HEIGHT - 8, "tick middle")
    )


def _line(curve: Curve, across: Axis, up: Axis, kind: str) -> str:
    return polyline(kind, placed(across, curve.labels), placed(up, curve.mean))


def _band(curve: Curve, across: Axis, up: Axis, kind: str) -> str:
    """One standard deviation to either side, within the frame."""
    low, high = (
        placed(up, np.clip(curve.mean + side * curve.deviation, up.low, up.high))
        for side in (-1.0, 1.0)
    )
    return band(f"band {kind}", placed(across, curve.labels), low, high)


def _names(board: Board, coloured: Sequence[str], up: Axis) -> list[str]:
    """Each curve's name at its right end, shifted where names would overlap."""
    ends = sorted((up(float(board.curves[name].mean[-1])), name) for name in coloured)
    places = spread_apart([y for y, _ in ends], _LABEL_HEIGHT, _TOP + 6.0, HEIGHT - _BOTTOM)
    x = WIDTH - _RIGHT
    parts = []
    for (y, name), place in zip(ends, places, strict=True):
        kind = _kind(name, coloured)
        parts.append(path(f"lead {kind}", f"M{x} {y} L{x + 10} {place:.1f}"))
        parts.append(text(name, x + 13, place + 4, f"name {kind}"))
    return parts
