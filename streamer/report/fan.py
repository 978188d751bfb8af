"""The angles around one prototype, from 0 degrees (the same direction) to 180 (opposite)."""

import math
from collections.abc import Sequence
from typing import Final

from streamer.report.angles import Fan
from streamer.report.charts import Picture, circle, line, path, short, spread_apart, text, thinned
from streamer.text import many

WIDTH: Final = 400
HEIGHT: Final = 236
_X, _Y, _RADIUS = 200.0, 196.0, 136.0
# The distance from the centre has no meaning; it keeps the dots apart.
_INNER, _OUTER = 48.0, 126.0
_GOLDEN: Final = 0.6180339887498949
_STRANGERS: Final = 300
_NAMED: Final = 7
_NAME_HEIGHT: Final = 15.0
_LETTER: Final = 6.6
# Names stand in a column on either side, above this.
_NAMES_END: Final = 128.0


def fan_picture(fan: Fan) -> Picture:
    """Own utterances in colour, others in grey; the shaded sector is recognized as the emotion."""
    parts = [_sector(fan.threshold), _arc(_RADIUS), _arc(_INNER - 14)]
    for mark in (0, 30, 60, 90, 120, 150, 180):
        (x1, y1), (x2, y2) = _at(mark, _INNER - 14), _at(mark, _RADIUS)
        parts.append(line("grid", x1, y1, x2, y2))
    parts += _dots("stranger", thinned(fan.strangers.tolist(), _STRANGERS), 2.6)
    parts += _dots("own", fan.own.tolist(), 4.2)
    parts += _prototypes(fan)
    parts.append(text("0°", _X + _RADIUS + 6, _Y + 4, "tick"))
    parts.append(text("180°", _X - _RADIUS - 6, _Y + 4, "tick end"))
    parts.append(text(short(fan.emotion), _X, _Y + 4, "emotion middle"))
    rate = "" if fan.eer is None else f", equal error rate {fan.eer:.0%}"
    count = many(len(fan.own), "utterance")
    parts.append(
        text(f"{count}, unknown beyond {fan.threshold:.0f}°{rate}", _X, HEIGHT - 8, "tick middle")
    )
    return Picture(f"Angles around {fan.emotion}", WIDTH, HEIGHT, "".join(parts))


def _at(degrees: float, radius: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return _X + radius * math.cos(angle), _Y - radius * math.sin(angle)


def _arc(radius: float) -> str:
    return path("arc", f"M{_X + radius} {_Y} A{radius} {radius} 0 0 0 {_X - radius} {_Y}")


def _sector(threshold: float) -> str:
    x, y = _at(threshold, _RADIUS)
    rim = f"L{_X + _RADIUS} {_Y} A{_RADIUS} {_RADIUS} 0 0 0 {x:.1f} {y:.1f}"
    return path("taken", f"M{_X} {_Y} {rim} Z")


def _dots(kind: str, angles: Sequence[float], radius: float) -> list[str]:
    dots = []
    for at, angle in enumerate(angles):
        x, y = _at(angle, _INNER + (_OUTER - _INNER) * ((at * _GOLDEN) % 1.0))
        dots.append(circle(kind, x, y, radius))
    return dots


def _prototypes(fan: Fan) -> list[str]:
    """Marks on the rim; the nearest ones' names beside, in the order of their angles."""
    parts = [circle("mark", *_at(angle, _RADIUS), 3.2) for angle in fan.prototypes.values()]
    nearest = sorted(fan.prototypes, key=fan.prototypes.__getitem__)[:_NAMED]
    right = [name for name in reversed(nearest) if fan.prototypes[name] < 90.0]
    left = [name for name in nearest if fan.prototypes[name] >= 90.0]
    for names, x, inwards, side in ((right, WIDTH, -1.0, "end"), (left, 0.0, 1.0, "")):
        rims = [_at(fan.prototypes[name], _RADIUS) for name in names]
        wanted = [y - _NAME_HEIGHT for _, y in rims]
        for name, rim, y in zip(
            names, rims, spread_apart(wanted, _NAME_HEIGHT, 12.0, _NAMES_END), strict=True
        ):
            named = f"{short(name)} {fan.prototypes[name]:.0f}°"
            parts.append(text(named, x, y, f"rim {side}"))
            beside = x + inwards * (_LETTER * len(named) + 6.0)
            parts.append(line("lead", *rim, beside, y - 4.0))
    return parts
