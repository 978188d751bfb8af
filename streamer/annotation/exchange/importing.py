"""Labels of a profile, from and to files in any of the formats that are known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamer.annotation.csv import LabelFile, read_labels
from streamer.annotation.exchange.matching import Heard, match, stem
from streamer.annotation.exchange.open import has_markers, is_timed, read_timed, write_timed
from streamer.annotation.exchange.timed import TimedLabel, TimedMarker
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
    session: int | None = None,
) -> LabelFile:
    """Labels of utterances: by their numbers in a table, or by time, matched by overlap.

    Parameters
    ----------
    annotator, scales, ask
        See `read_labels`. Labels by time of no table are on [-1, 1] where `scales` is None.
    session
        Match only utterances of this session, -1 for the last, whatever the file calls its
        recording; None for all. The sessions of a microphone all begin at 0 s.

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
    heard = heard_in(profile, session)
    if session is not None and len({one.source for one in heard}) == 1:
        # The file may be called anything: whose labels they are was said.
        timed = [replace(one, source="") for one in timed]
    matched = match(timed, heard, annotator, on)
    return LabelFile(matched.labels, on.kept, [*notes, *matched.notes])


def heard_in(profile: Profile, session: int | None = None) -> list[Heard]:
    """Every utterance of a profile, or of one session, with its place in time."""
    number = None if session is None else profile.sessions.get(session).id
    return [Heard(*row) for row in profile.utterances.places(number)]


def export_labels(
    profile: Profile,
    path: Path,
    recording: str | None = None,
    annotator: str | None = None,
    session: int | None = None,
) -> tuple[int, int]:
    """Write the labels that count, on [-1, 1], by time, and a session's event markers.

    Parameters
    ----------
    recording, annotator
        Only those of one recording, by its name, and of one annotator; None for all.
    session
        Only that of this number, -1 for the last, with its markers; None for all, without.

    Returns
    -------
    tuple of int
        How many labels, and how many markers.

    Raises
    ------
    UsageError
        For an unknown format, and labels of several recordings in one that holds one's.
    NotFound
        For a session that is not there.
    """
    places = {heard.utterance: heard for heard in heard_in(profile, session)}
    labels = []
    for entry in profile.labels.effective():
        label, heard = entry.label, places.get(entry.label.utterance)
        if heard is None or (recording is not None and stem(heard.source) != stem(recording)):
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
    markers = _markers(profile, session, labels) if has_markers(path) else []
    write_timed(path, labels, markers)
    return len(labels), len(markers)


def _markers(
    profile: Profile, session: int | None, labels: Sequence[TimedLabel]
) -> list[TimedMarker]:
    """Those of a session, of the recordings of the labels where there are any."""
    if session is None:
        return []
    sources = {stem(label.source) for label in labels}
    found = profile.markers.of_session(profile.sessions.get(session).id)
    return [
        TimedMarker(one.name, one.at_s)
        for one in found
        if not sources or stem(one.source) in sources
    ]
