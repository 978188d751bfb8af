"""ELAN's documents (.eaf), by pympi: time-aligned tiers, read as Praat's are."""

from collections.abc import Sequence
from pathlib import Path

from streamer.annotation.exchange.libraries import library
from streamer.annotation.exchange.praat import annotator_of
from streamer.annotation.exchange.timed import (
    MARKERS,
    TimedLabel,
    TimedMarker,
    merged,
    read_text,
    write_text,
)
from streamer.errors import UsageError


def read(path: Path) -> list[TimedLabel]:
    elan = library("pympi.Elan", "pympi-ling")
    try:
        document = elan.Eaf(str(path))
        tiers = {name: document.get_annotation_data_for_tier(name)
                 for name in document.get_tier_names() if name != MARKERS}  # fmt: skip
        media = [one.get("MEDIA_URL", "") for one in document.get_linked_files()]
    except Exception as error:  # what pympi raises for a broken document is anything
        raise UsageError(f"{path} is no ELAN document that pympi can read ({error})") from error
    source = Path(media[0]).stem if media and media[0] else path.stem
    labels = []
    for tier, annotations in tiers.items():
        for onset_ms, offset_ms, text, *_ in annotations:
            values, emotion = read_text(text or "", tier.partition("@")[0])
            labels.append(
                TimedLabel(source, onset_ms / 1000.0, offset_ms / 1000.0, values, emotion,
                           annotator_of(tier), place=f"{path}, tier {tier}")
            )  # fmt: skip
    return merged(labels)


def write(path: Path, labels: Sequence[TimedLabel], markers: Sequence[TimedMarker] = ()) -> None:
    """A tier an annotator, and one of markers of a millisecond. ELAN's times are whole ones."""
    elan = library("pympi.Elan", "pympi-ling")
    document = elan.Eaf(author="Streamer")
    document.remove_tier("default")
    if labels:
        # pympi asks for the media's type, which a name without an ending does not tell.
        document.add_linked_file(labels[0].source, mimetype="audio/x-wav")
    for whose in sorted({one.annotator or "labels" for one in labels}):
        document.add_tier(whose)
    for one in labels:
        onset_ms, offset_ms = round(1000 * one.onset_s), round(1000 * one.offset_s)
        document.add_annotation(one.annotator or "labels", onset_ms, offset_ms, write_text(one))
    if markers:
        document.add_tier(MARKERS)
    free_ms = 0  # ELAN lets no two annotations of a tier overlap
    for marker in markers:
        at_ms = max(round(1000 * marker.at_s), free_ms)
        free_ms = at_ms + 1
        document.add_annotation(MARKERS, at_ms, free_ms, marker.name)
    document.to_file(str(path))
