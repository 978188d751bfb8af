"""Labels by time to labels of utterances: by overlap; what does not match is told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import numpy as np

from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.labels import one
from streamer.annotation.scales import Scales
from streamer.errors import UsageError
from streamer.learners.answers import checked_answer
from streamer.text import many
from streamer.types import DIMENSIONS, Label

# An overlap is a match if it holds this part of the shorter of the two.
LEAST_OVERLAP: Final = 0.5
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """Where an utterance of a profile is."""

    utterance: int
    source: str
    onset_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Matched:
    """labels: of utterances, on the scale that is kept. notes: what did not match, for people."""

    labels: list[Label]
    notes: list[str]


def match(
    timed: Sequence[TimedLabel], heard: Sequence[Heard], annotator: str, scales: Scales
) -> Matched:
    """Give each utterance what the labels that overlap with it say.

    A label of an annotator counts for an utterance if they share half of the shorter of the two.
    Where several do, values are averaged by the time shared, and the emotion is that with most of
    it. Recordings are the same if their names are, without folder and ending; a file that names
    none is of the only recording that the profile has.

    Parameters
    ----------
    annotator
        Whose the labels are that name nobody.

    Raises
    ------
    UsageError
        None matches, or a value is outside its scale.
    """
    by_source = _by_source(heard)
    shares: defaultdict[tuple[int, str], list[tuple[float, TimedLabel]]] = defaultdict(list)
    lost: list[str] = []
    known = {one.utterance for one in heard}
    for label in timed:
        whose = label.annotator or annotator
        if label.utterance is not None:
            found = [(label.utterance, 1.0)] if label.utterance in known else []
        else:
            found = _overlapping(label, _candidates(label, by_source))
        for utterance, shared_s in found:
            shares[utterance, whose].append((shared_s, label))
        if not found:
            lost.append(str(label))
    labels, incomplete = [], []
    for (utterance, whose), several in sorted(shares.items()):
        values, emotion = _combined(several)
        if ("valence" in values) != ("arousal" in values) or not (values or emotion):
            incomplete.append(f"#{utterance}")
            continue
        kept = scales.all_to_kept(*(values.get(name) for name in DIMENSIONS))
        labels.append(checked_answer(one(utterance, *kept, emotion, whose), scales.kept))
    notes = []
    if lost:
        notes.append(f"{many(len(lost), 'label')} match no utterance: {_some(lost)}")
    if incomplete:
        notes.append(
            f"left out {many(len(incomplete), 'utterance')} with valence or arousal alone: "
            f"{_some(incomplete)}"
        )
    if not labels:
        raise UsageError(
            "no label matches an utterance of this profile "
            f"({'; '.join(notes) or 'the file has none'}): is it of a recording that was heard?"
        )
    return Matched(labels, notes)


def stem(source: str) -> str:
    """A recording's name without folder and ending, in lower case.

    >>> stem("talks/Monday.WAV"), stem("v1.2 final.flac")
    ('monday', 'v1.2 final')
    """
    name = PurePath(source.replace("\\", "/")).name
    return PurePath(name).stem.lower() if "." in name else name.lower()


def _by_source(heard: Sequence[Heard]) -> dict[str, list[Heard]]:
    found: defaultdict[str, list[Heard]] = defaultdict(list)
    for one_heard in heard:
        found[stem(one_heard.source)].append(one_heard)
    return dict(found)


def _candidates(label: TimedLabel, by_source: Mapping[str, list[Heard]]) -> list[Heard]:
    if stem(label.source) in by_source:
        return by_source[stem(label.source)]
    if not label.source and len(by_source) == 1:
        return next(iter(by_source.values()))
    return []


def _overlapping(label: TimedLabel, heard: Sequence[Heard]) -> list[tuple[int, float]]:
    """Utterances that a label is about, and the seconds that they share."""
    if not heard:
        return []
    onsets = np.array([one.onset_s for one in heard])
    offsets = np.array([one.offset_s for one in heard])
    shared_s = np.minimum(offsets, label.offset_s) - np.maximum(onsets, label.onset_s)
    shorter_s = np.minimum(offsets - onsets, label.offset_s - label.onset_s)
    about = np.flatnonzero((shared_s > 0.0) & (shared_s >= LEAST_OVERLAP * shorter_s))
    return [(heard[k].utterance, float(shared_s[k])) for k in about.tolist()]


def _combined(
    several: Sequence[tuple[float, TimedLabel]],
) -> tuple[dict[str, float], str | None]:
    values: dict[str, float] = {}
    for name in DIMENSIONS:
        given = [(s, label.values[name]) for s, label in several if name in label.values]
        if given:
            weight = sum(s for s, _ in given)
            values[name] = sum(s * value for s, value in given) / weight
    spans: defaultdict[str, float] = defaultdict(float)
    for shared_s, label in several:
        if label.emotion is not None:
            spans[label.emotion] += shared_s
    emotion = max(sorted(spans), key=lambda name: spans[name]) if spans else None
    return values, emotion


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
