"""Labels of a profile, from and to files in any of the formats that are known."""

from pathlib import Path

from streamer.annotation.csv import LabelFile, read_labels
from streamer.annotation.exchange.matching import Heard, match, stem
from streamer.annotation.exchange.open import is_timed, read_timed, write_timed
from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.scales import Scales
from streamer.annotation.text_table import Ask
from streamer.store.profile import Profile
from streamer.types import DIMENSIONS


def read_any(
    profile: Profile,
    path: Path,
    annotator: str,
    scales: Scales | None = None,
    ask: Ask | None = None,
) -> LabelFile:
    """Labels of utterances: by their numbers in a table, or by time, matched by overlap.

    Parameters
    ----------
    annotator, scales, ask
        See `read_labels`. Labels by time of no table are on [-1, 1] where `scales` is None.

    Raises
    ------
    UsageError
        Naming the file and the place.
    """
    if is_timed(path):
        timed, notes, on = read_timed(path), [], scales or Scales.usual()
    else:
        read = read_labels(path, annotator, scales, ask)
        if not read.timed:
            return read
        timed, notes, on = read.timed, read.notes, read.scales or Scales.usual()
    matched = match(timed, heard_in(profile), annotator, on)
    return LabelFile(matched.labels, on.kept, [*notes, *matched.notes])


def heard_in(profile: Profile) -> list[Heard]:
    """Every utterance of a profile, with its place in time."""
    return [Heard(*row) for row in profile.utterances.places()]


def export_labels(
    profile: Profile, path: Path, recording: str | None = None, annotator: str | None = None
) -> int:
    """Write the labels that count, on [-1, 1], by time; how many.

    Parameters
    ----------
    recording, annotator
        Only those of one recording, by its name, and of one annotator; None for all.

    Raises
    ------
    UsageError
        For an unknown format, and labels of several recordings in one that holds one's.
    """
    places = {heard.utterance: heard for heard in heard_in(profile)}
    labels = []
    for entry in profile.labels.effective():
        label, heard = entry.label, places[entry.label.utterance]
        if recording is not None and stem(heard.source) != stem(recording):
            continue
        if annotator is not None and label.annotator != annotator:
            continue
        given = {name: getattr(label, name) for name in DIMENSIONS}
        values = {name: value for name, value in given.items() if value is not None}
        labels.append(
            TimedLabel(
                heard.source,
                heard.onset_s,
                heard.offset_s,
                values,
                label.emotion,
                label.annotator,
                label.utterance,
            )
        )
    write_timed(path, labels)
    return len(labels)
