"""Praat's TextGrids, by praatio: interval tiers; a tier named after a dimension holds numbers."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from streamer.annotation.exchange.libraries import library
from streamer.annotation.exchange.timed import (
    MARKERS,
    TimedLabel,
    TimedMarker,
    merged,
    read_text,
    write_text,
)
from streamer.errors import UsageError
from streamer.types import DIMENSIONS

# Tiers that name what they hold; any other name is the annotator's.
_OF_ANSWERS: Final = {*DIMENSIONS, "emotion", "emotions", "label", "labels", "affect"}


def annotator_of(tier: str) -> str | None:
    """Who annotated a tier: valence, emotion and the like are nobody's names.

    >>> annotator_of("ann"), annotator_of("Valence"), annotator_of("valence@ben")
    ('ann', None, 'ben')
    """
    kind, _, whose = tier.partition("@")
    if whose:
        return whose
    return None if kind.strip().lower() in _OF_ANSWERS else kind.strip() or None


def read(path: Path) -> list[TimedLabel]:
    textgrid = library("praatio.textgrid", "praatio")
    try:
        grid: Any = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except Exception as error:  # praatio's own exceptions share no base
        raise UsageError(f"{path} is no TextGrid that praatio can read ({error})") from error
    labels = []
    for tier in grid.tiers:
        if not isinstance(tier, textgrid.IntervalTier) or tier.name == MARKERS:
            continue
        for onset_s, offset_s, text in tier.entries:
            place = f"{path}, tier {tier.name}"
            values, emotion = read_text(text, tier.name.partition("@")[0])
            whose = annotator_of(tier.name)
            labels.append(TimedLabel(path.stem, onset_s, offset_s, values, emotion, whose,
                                     place=place))  # fmt: skip
    return merged(labels)


def write(path: Path, labels: Sequence[TimedLabel], markers: Sequence[TimedMarker] = ()) -> None:
    """A tier an annotator, and a point tier of markers; utterances of a recording do not overlap.

    Of markers at the same time, one point has all names.
    """
    textgrid = library("praatio.textgrid", "praatio")
    grid = textgrid.Textgrid()
    ends = [one.offset_s for one in labels] + [one.at_s for one in markers]
    end_s = max(ends, default=1.0)
    ordered = sorted(labels, key=lambda one: (one.annotator or "", one.onset_s))
    for whose, group in groupby(ordered, key=lambda one: one.annotator or "labels"):
        entries = [(one.onset_s, one.offset_s, write_text(one)) for one in group]
        grid.addTier(textgrid.IntervalTier(whose, entries, 0.0, end_s))
    if markers:
        at: dict[float, str] = {}
        for one in markers:
            at[one.at_s] = f"{at[one.at_s]}, {one.name}" if one.at_s in at else one.name
        grid.addTier(textgrid.PointTier(MARKERS, sorted(at.items()), 0.0, end_s))
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
