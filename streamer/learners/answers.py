"""Validation of labels: values on their scale, valid names."""

import math
from dataclasses import replace
from typing import Any

from streamer.errors import UsageError
from streamer.text import annotator_name
from streamer.types import DIMENSIONS, Label


def checked_scale(scale: tuple[float, float]) -> tuple[float, float]:
    """The scale (low, high), if low < high. Raises UsageError."""
    low, high = scale
    if not 0.0 < high - low < math.inf:  # also catches NaN
        raise UsageError(f"the scale {low}:{high} is empty: give LOW:HIGH, for example 1:5")
    return scale


def checked_answer(label: Label, scale: tuple[float, float] = (-1.0, 1.0)) -> Label:
    """The label with a normalized annotator's name, and 0 without a sign, as the store keeps it.

    Raises UsageError for an empty label or a value outside the scale.
    """
    low, high = scale
    values = {name: getattr(label, name) for name in DIMENSIONS}
    for name, value in values.items():
        if value is not None and not low <= value <= high:  # also catches NaN
            raise UsageError(
                f"{name} {value:g} of utterance {label.utterance} is outside "
                f"[{low:g}, {high:g}]: give a value on that scale"
            )
    if label.emotion is None and all(value is None for value in values.values()):
        raise UsageError(
            f"the label of utterance {label.utterance} is empty: "
            "give valence and arousal, or an emotion"
        )
    unsigned: dict[str, Any] = {
        name: None if value is None else value + 0.0 for name, value in values.items()
    }
    return replace(label, **unsigned, annotator=annotator_name(label.annotator))
