"""Charts as SVG: the picture itself, axes, grid lines, marks and text.

Every chart of the report and of `streamer evaluate` is made of these. Coordinates are in the
picture's own units, y downwards; colours come from the page's style sheet by class.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeVar

from streamer.types import Vector

UNIT_TICKS: Final = (-1.0, 0.0, 1.0)
LONGEST_NAME: Final = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG drawing of width x height units. title: what it shows, for those who cannot see it."""

    title: str
    width: int
    height: int
    body: str

    def svg(self, place: str = "") -> str:
        """place: further attributes, such as its position in a larger drawing."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'role="img" aria-label="{escape(self.title)}"{place}>{self.body}</svg>'
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis: low < high in the unit of what is drawn, from x or y `start` to `end`.

    >>> Axis(-1.0, 1.0, 100.0, 0.0)(0.5)
    25.0
    >>> Axis(0.0, 1.0, 0.0, 100.0).ticks()
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """About five round numbers within the axis."""
        rough = (self.high - self.low) / 5.0
        size = 10.0 ** math.floor(math.log10(rough))
        step = min((1.0, 2.0, 2.5, 5.0, 10.0), key=lambda times: abs(times * size - rough)) * size
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) for number in range(first, last + 1)]


def path(kind: str, steps: str) -> str:
    """steps: the path's commands, as SVG writes them."""
    return f'<path class="{kind}" d="{steps}"/>'


def text(written: str, x: float, y: float, kind: str = "tick") -> str:
    """kind: classes of the style sheet, which set where the text is anchored."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(written)}</text>'


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def circle(kind: str, x: float, y: float, radius: float, hint: str = "") -> str:
    """hint: shown where a pointer rests on it."""
    title = f"<title>{escape(hint)}</title>" if hint else ""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">{title}</circle>'


def rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{max(width, 0.0):.1f}" height="{max(height, 0.0):.1f}"/>'
    )


def polyline(kind: str, xs: Iterable[float], ys: Iterable[float]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def band(kind: str, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
    points = [*zip(xs, highs, strict=True), *reversed(list(zip(xs, lows, strict=True)))]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon class="{kind}" points="{corners}"/>'


def levels(up: Axis, left: float, right: float, marks: Iterable[float], form: str = "g") -> str:
    """Horizontal grid lines with their values to the left."""
    parts = []
    for value in marks:
        y = up(value)
        number = "0" if value == 0.0 and form == "+g" else f"{value:{form}}".replace("-", "−")
        parts.append(line("zero" if value == 0.0 else "grid", left, y, right, y))
        parts.append(text(number, left - 7, y + 4, "tick end"))
    return "".join(parts)


def thinned(values: Sequence[T], most: int) -> Sequence[T]:
    """At most `most` of them, at even distances.

    >>> thinned(range(10), 4), thinned([1, 2], 4)
    (range(0, 10, 3), [1, 2])
    """
    return values[:: -(-len(values) // most) or 1]


def short(name: str) -> str:
    """A name cut to the length that fits into a drawing."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def placed(axis: Axis, values: Vector) -> list[float]:
    return [axis(float(value)) for value in values]


def spread_apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Rising places moved as little as it takes to lie `gap` apart, within [low, high].

    >>> spread_apart([1.0, 1.5, 9.0], 2.0, 0.0, 10.0)
    [1.0, 3.0, 9.0]
    >>> spread_apart([9.0, 9.5], 2.0, 0.0, 10.0)
    [8.0, 10.0]
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, low, moved[-1] + gap if moved else low))
    for at in reversed(range(len(moved))):
        moved[at] = min(moved[at], high)
        high = moved[at] - gap
    return moved
