"""Learning curves: agreement and interval coverage over the labels given so far."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.learners.conformal import COVERAGE
from streamer.report.charts import Axis, Picture, levels, line, placed, polyline, spread_apart, text
from streamer.report.prequential import Trace
from streamer.report.record import Record
from streamer.types import DIMENSIONS, Vector

WIDTH: Final = 460
HEIGHT: Final = 206
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 116, 12, 38
_NAME_HEIGHT: Final = 15.0
# With fewer labels, a CCC is mostly chance.
FIRST_SHOWN: Final = 5
_COLOURS: Final = dict(zip(DIMENSIONS, ("v", "a", "d"), strict=True))


@dataclass(frozen=True, slots=True)
class _Curve:
    """name: written at the end of the curve, or ""; kind: a class of the style sheet; values: from
    label `FIRST_SHOWN` on, nan where not defined."""

    name: str
    kind: str
    values: Vector


def learning_curve(traces: Mapping[str, Trace]) -> Picture:
    """CCC of the labels so far, each predicted before it was learned; dashed: the prior alone."""
    curves = []
    for name, trace in traces.items():
        kind = f"line {_COLOURS[name]}"
        curves.append(_Curve("", f"{kind} dashed", _shown(trace.untaught_agreement)))
        curves.append(_Curve(name, kind, _shown(trace.agreement)))
    lowest = min((float(v) for c in curves for v in c.values if np.isfinite(v)), default=0.0)
    up = Axis(min(math.floor(lowest * 5.0) / 5.0, 0.0), 1.0, HEIGHT - _BOTTOM, _TOP)
    return _drawn("Learning curve: CCC over labels", curves, up, up.ticks(), ".2f", "g")


def coverage(record: Record) -> Picture:
    """Share of the labels so far inside their interval, beside the nominal coverage."""
    curves = [
        _Curve(name, f"line {_COLOURS[name]}", _shown(trace.coverage))
        for name, trace in record.traces.items()
    ]
    up = Axis(0.0, 1.0, HEIGHT - _BOTTOM, _TOP)
    picture = _drawn("Interval coverage over labels", curves, up, up.ticks(), ".0%", ".0%")
    nominal = line("promise", _LEFT, up(COVERAGE), WIDTH - _RIGHT, up(COVERAGE))
    return Picture(picture.title, WIDTH, HEIGHT, nominal + picture.body)


def _shown(values: Vector) -> Vector:
    return values[FIRST_SHOWN - 1 :]


def _drawn(
    title: str, curves: Sequence[_Curve], up: Axis, marks: Sequence[float], form: str, tick: str
) -> Picture:
    """form: of the values at the curves' ends; tick: of those beside the axis."""
    last = max((len(curve.values) for curve in curves), default=0) + FIRST_SHOWN - 1
    across = Axis(0.0, max(float(last), 10.0), _LEFT, WIDTH - _RIGHT)
    parts = [levels(up, _LEFT, WIDTH - _RIGHT, marks, tick)]
    parts += [
        text(f"{mark:g}", across(mark), HEIGHT - _BOTTOM + 18, "tick middle")
        for mark in across.ticks()
    ]
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    under = "labels, each predicted before it was learned"
    parts.append(text(under, middle, HEIGHT - 4, "tick middle"))
    ends = []
    for curve in curves:
        there = np.flatnonzero(np.isfinite(curve.values))
        if len(there):
            ys = placed(up, curve.values[there])
            xs = [across(float(at + FIRST_SHOWN)) for at in there]
            parts.append(polyline(curve.kind, xs, ys))
            ends.append((ys[-1], curve, float(curve.values[there[-1]])))
    named = sorted((y, curve.name, curve.kind, value) for y, curve, value in ends if curve.name)
    heights = spread_apart([y for y, *_ in named], _NAME_HEIGHT, _TOP, HEIGHT - _BOTTOM)
    for (_, name, kind, value), y in zip(named, heights, strict=True):
        ending = f"{name} {value:{form}}".replace("-", "−")
        parts.append(text(ending, WIDTH - _RIGHT + 6, y + 4, f"end-name {kind.split()[-1]}"))
    return Picture(title, WIDTH, HEIGHT, "".join(parts))
