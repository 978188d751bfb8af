"""The plane of valence and arousal: predictions, labels, and the names of the emotions."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from streamer.report.charts import (
    Axis,
    Picture,
    circle,
    line,
    rect,
    short,
    spread_apart,
    text,
    thinned,
)
from streamer.report.raters import Rater
from streamer.report.record import Record
from streamer.store.sessions import UtteranceRow
from streamer.types import Label

SIDE: Final = 420
_SMALL: Final = 180
_DOTS: Final = 600
_CROWD: Final = 200
_NAME_HEIGHT: Final = 15.0
_NAMED: Final = 12


def plane(record: Record) -> Picture:
    """Predictions small, labels large; an emotion is named at the mean of its labels."""
    across, up = _axes(SIDE)
    parts = [_ground(SIDE), _corners()]
    for _, row in thinned(record.predicted(), _DOTS):
        found = row.prediction
        parts.append(circle("guess", across(found.valence.mean), up(found.arousal.mean), 2.6))
    placed = [label for label in record.labels if _is_placed(label)]
    radius = 4.2 if len(placed) <= _CROWD else 2.6
    for label in thinned(placed, _DOTS):
        emotion = f", {label.emotion}" if label.emotion else ""
        hint = f"#{label.utterance}, {label.annotator}{emotion}"
        parts.append(
            circle("label", across(label.valence or 0.0), up(label.arousal or 0.0), radius, hint)
        )
    parts += _names(placed, across, up)
    return Picture("Utterances and labels on the plane", SIDE, SIDE, "".join(parts))


def repeats(rater: Rater) -> Picture:
    """Where an annotator placed an utterance first (ring) and the second time (dot)."""
    across, up = _axes(_SMALL)
    parts = [_ground(_SMALL)]
    for first, again in rater.repeats:
        if _is_placed(first) and _is_placed(again):
            (x1, y1), (x2, y2) = (
                (across(label.valence or 0.0), up(label.arousal or 0.0)) for label in (first, again)
            )
            parts.append(line("link", x1, y1, x2, y2))
            parts.append(circle("ring", x1, y1, 4.5) + circle("label", x2, y2, 4.5))
    title = f"First and second answers of {rater.name}"
    return Picture(title, _SMALL, _SMALL, "".join(parts))


def small_plane(title: str, rows: Sequence[UtteranceRow], labels: Sequence[Label]) -> Picture:
    """Predictions small, labels large, without words; with the number of each as a hint."""
    across, up = _axes(_SMALL)
    parts = [_ground(_SMALL)]
    for row in thinned(list(rows), _CROWD):
        found = row.prediction
        hint = f"#{row.id}"
        parts.append(circle("guess", across(found.valence.mean), up(found.arousal.mean), 3, hint))
    for label in thinned([one for one in labels if _is_placed(one)], _CROWD):
        hint = f"#{label.utterance}, {label.annotator}"
        parts.append(
            circle("label", across(label.valence or 0.0), up(label.arousal or 0.0), 4, hint)
        )
    return Picture(title, _SMALL, _SMALL, "".join(parts))


def _is_placed(label: Label) -> bool:
    return label.valence is not None and label.arousal is not None


def _axes(side: int) -> tuple[Axis, Axis]:
    return Axis(-1.0, 1.0, 0, side), Axis(-1.0, 1.0, side, 0)


def _ground(side: int) -> str:
    half = side / 2
    quarters = (("q2", 0.0, 0.0), ("q1", half, 0.0), ("q3", 0.0, half), ("q4", half, half))
    return (
        "".join(rect(kind, x, y, half, half) for kind, x, y in quarters)
        + line("axis", half, 0, half, side)
        + line("axis", 0, half, side, half)
    )


def _corners() -> str:
    half, end = SIDE / 2, SIDE - 10
    return (
        text("tense, angry, afraid", 10, 20, "corner")
        + text("thrilled, elated", end, 20, "corner end")
        + text("sad, tired, bored", 10, end, "corner")
        + text("calm, content", end, end, "corner end")
        + text("excited", half + 6, 14, "corner strong")
        + text("calm", half + 6, SIDE - 6, "corner strong")
        + text("negative", 6, half - 6, "corner strong")
        + text("positive", SIDE - 6, half - 6, "corner strong end")
    )


def _names(labels: list[Label], across: Axis, up: Axis) -> list[str]:
    """The most used emotions, named at the mean of their labels; names do not overlap."""
    members: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for label in labels:
        if label.emotion:
            members[label.emotion].append((label.valence or 0.0, label.arousal or 0.0))
    most = sorted(members, key=lambda name: -len(members[name]))[:_NAMED]
    means = {name: np.mean(members[name], axis=0) for name in most}
    order = sorted(means, key=lambda name: up(float(means[name][1])))
    heights = spread_apart(
        [up(float(means[name][1])) for name in order], _NAME_HEIGHT, 34.0, SIDE - 34.0
    )
    parts = []
    for name, y in zip(order, heights, strict=True):
        x = min(max(across(float(means[name][0])), 44.0), SIDE - 44.0)
        parts.append(text(short(name), x, y + 4, "emotion middle"))
    return parts
