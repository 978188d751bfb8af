"""Labels of stretches of a recording, and what an annotator's text says."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from streamer.errors import UsageError
from streamer.types import DIMENSIONS

EMOTION: Final = "emotion"
# The tier of event markers, which holds no answers.
MARKERS: Final = "markers"
_PAIR: Final = re.compile(
    rf"\b({'|'.join((*DIMENSIONS, EMOTION))})\s*[=:]\s*(\"[^\"]*\"|[^\s,;]+)", re.I
)


@dataclass(frozen=True, slots=True)
class TimedLabel:
    """One annotator's answer about a stretch of a recording.

    Parameters
    ----------
    source
        Name of the recording; "" where the file does not say it.
    onset_s, offset_s
        In seconds from the start of the recording, onset < offset.
    values
        Of valence, arousal and dominance, those that were given, on the file's scale.
    emotion, annotator
        None for no answer, and for an annotator who is not named.
    utterance
        Its number, where the file has that instead.
    place
        Where in the file it is, for people.
    """

    source: str
    onset_s: float
    offset_s: float
    values: dict[str, float]
    emotion: str | None = None
    annotator: str | None = None
    utterance: int | None = None
    place: str = ""

    def __str__(self) -> str:
        at = f"{self.onset_s:.2f} to {self.offset_s:.2f} s"
        return f"{self.place or self.source} ({at})" if self.place or self.source else at


@dataclass(frozen=True, slots=True)
class TimedMarker:
    """An event marker: its name, and its place in seconds from the start of the recording."""

    name: str
    at_s: float


def read_text(text: str, name: str = "") -> tuple[dict[str, float], str | None]:
    """What a label's text says: values by dimension, and an emotion.

    Parameters
    ----------
    text
        ``joy``; ``valence=0.4 arousal=-0.1 emotion=joy``; or a number, on a tier or track that is
        named after a dimension.
    name
        Of the tier or track.

    Examples
    --------
    >>> read_text("Joy"), read_text("0.5", "valence")
    (({}, 'Joy'), ({'valence': 0.5}, None))
    >>> read_text("valence=0.4, arousal=-1")
    ({'valence': 0.4, 'arousal': -1.0}, None)
    """
    text = text.strip()
    if name.strip().lower() in DIMENSIONS and text:
        return {name.strip().lower(): number(text)}, None
    values: dict[str, float] = {}
    emotion: str | None = None
    pairs = _PAIR.findall(text)
    for key, value in pairs:
        if key.lower() == EMOTION:
            emotion = value.strip('"') or None
        else:
            values[key.lower()] = number(value)
    return (values, emotion) if pairs else ({}, text or None)


def write_text(label: TimedLabel) -> str:
    """The inverse of `read_text`."""
    parts = [f"{name}={label.values[name]:g}" for name in DIMENSIONS if name in label.values]
    if label.emotion is None:
        return " ".join(parts)
    if not parts:
        return label.emotion
    quoted = f'"{label.emotion}"' if " " in label.emotion else label.emotion
    return " ".join([*parts, f"{EMOTION}={quoted}"])


def number(text: str) -> float:
    """A finite number with a decimal point or comma. Raises UsageError."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise UsageError(f"{text!r} is no number: give one")
    return value


def merged(labels: Iterable[TimedLabel]) -> list[TimedLabel]:
    """One label a stretch and annotator: tiers of one dimension each become whole answers."""
    together: defaultdict[tuple[object, ...], list[TimedLabel]] = defaultdict(list)
    for label in labels:
        key = (label.source, round(label.onset_s, 3), round(label.offset_s, 3), label.annotator)
        together[key].append(label)
    return [_merge(several) for several in together.values()]


def _merge(labels: list[TimedLabel]) -> TimedLabel:
    values: dict[str, float] = {}
    emotion: str | None = None
    for label in labels:
        values |= label.values
        emotion = label.emotion or emotion
    return replace(labels[0], values=values, emotion=emotion)
