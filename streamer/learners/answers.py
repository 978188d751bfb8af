"""Which answers can be learned from: values on their scale, names that can be kept."""

import math
from typing import Final

from streamer.errors import UsageError
from streamer.types import DIMENSIONS, Label

LONGEST_NAME: Final = 64


def checked_scale(scale: tuple[float, float]) -> tuple[float, float]:
    """The scale (low, high), if it holds values. Raises UsageError."""
    low, high = scale
    if not 0.0 < high - low < math.inf:  # also catches NaN
        raise UsageError(f"the scale {low}:{high} is empty: give LOW:HIGH, for example 1:5")
    return scale


def checked_answer(label: Label, scale: tuple[float, float] = (-1.0, 1.0)) -> Label:
    """The label, if it says something, and with values on the scale. Raises UsageError."""
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
    checked_annotator(label.annotator)
    return label


def checked_annotator(name: str) -> str:
    """The name, if it can be one. Raises UsageError."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"annotator {name!r}: give a name of 1 to {LONGEST_NAME} printable characters"
        )
    return name


def emotion_name(name: str) -> str:
    """A name as it is kept: trimmed, in lower case. Raises UsageError.

    >>> emotion_name("  Quiet  JOY ")
    'quiet joy'
    """
    kept = " ".join(name.split()).lower()
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise UsageError(
            f"emotion {name!r}: give a name of 1 to {LONGEST_NAME} printable characters"
        )
    return kept
