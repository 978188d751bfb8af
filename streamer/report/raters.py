"""Annotators: consistency on repeats, and agreement with one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.learners.metrics import concordance_cc
from streamer.store.profile import Profile
from streamer.store.records import LogEntry
from streamer.types import DIMENSIONS, Label, Vector

# Of fewer utterances, an interval says no more than that nothing is known.
LEAST_SHARED: Final = 5
_DRAWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Rater:
    """labels: number in effect. repeats: (first, second) answers on the same utterance, in order.

    difference: mean absolute difference of the two, in [0, 2], by dimension. shared: utterances
    that others labelled too; agreement: CCC with the mean of the others on those, by dimension.
    uncertainty: of the agreement, a 95 % interval by the percentiles of a bootstrap over the shared
    utterances, from `LEAST_SHARED` of them on. All leave out what is not defined.
    """

    name: str
    labels: int
    repeats: Sequence[tuple[Label, Label]]
    difference: dict[str, float]
    shared: int
    agreement: dict[str, float]
    uncertainty: dict[str, tuple[float, float]]


def raters(profile: Profile) -> list[Rater]:
    """Every annotator with labels in effect, in alphabetical order."""
    entries = profile.labels.effective()
    return [_rater(profile, name, entries) for name in profile.labels.annotators()]


def _rater(profile: Profile, name: str, entries: Sequence[LogEntry]) -> Rater:
    own = {e.label.utterance: e.label for e in entries if e.label.annotator == name}
    others: dict[int, list[Label]] = {}
    for entry in entries:
        if entry.label.annotator != name and entry.label.utterance in own:
            others.setdefault(entry.label.utterance, []).append(entry.label)
    repeats = [
        (own[again.utterance], again)
        for again in profile.annotation_events.repeats()
        if again.annotator == name and again.utterance in own
    ]
    difference: dict[str, float] = {}
    agreement: dict[str, float] = {}
    uncertainty: dict[str, tuple[float, float]] = {}
    for dimension in DIMENSIONS:
        if pairs := [p for p in (_both(*two, dimension) for two in repeats) if p]:
            difference[dimension] = float(np.mean([abs(one - two) for one, two in pairs]))
        mine, theirs = _columns(own, others, dimension)
        ccc = concordance_cc(mine, theirs)
        if ccc is not None:
            agreement[dimension] = ccc
            if len(mine) >= LEAST_SHARED:
                uncertainty[dimension] = _bootstrapped(mine, theirs)
    return Rater(name, len(own), repeats, difference, len(others), agreement, uncertainty)


def _both(one: Label, other: Label, dimension: str) -> tuple[float, float] | None:
    first, second = getattr(one, dimension), getattr(other, dimension)
    return None if first is None or second is None else (first, second)


def _columns(
    own: dict[int, Label], others: dict[int, list[Label]], dimension: str
) -> tuple[Vector, Vector]:
    """Somebody's answers, and the mean of the others' on the same utterances."""
    pairs = []
    for utterance, answers in others.items():
        mine = getattr(own[utterance], dimension)
        theirs = [v for v in (getattr(label, dimension) for label in answers) if v is not None]
        if mine is not None and theirs:
            pairs.append((mine, float(np.mean(theirs))))
    columns = np.array(pairs, np.float64).reshape(-1, 2).T
    return columns[0], columns[1]


def _bootstrapped(mine: Vector, theirs: Vector) -> tuple[float, float]:
    """Of the utterances drawn with replacement, always in the same way."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(mine), size=(_DRAWS, len(mine)))
    found = [concordance_cc(mine[draw], theirs[draw]) for draw in draws]
    low, high = np.percentile([ccc for ccc in found if ccc is not None], (2.5, 97.5))
    return float(low), float(high)
