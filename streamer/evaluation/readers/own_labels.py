"""Anyone's own corpus: a folder of recordings, and a table with a row a clip or an answer.

The table is read as `streamer label --import` reads one: any separator, encoding and decimal mark.
Several rows of one clip are several people's answers: ratings are averaged, and the emotion is the
one named most often. Emotions keep their own names where they have no common one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from streamer.annotation.scales import Scales
from streamer.annotation.text_table import (
    Row,
    TextTable,
    active,
    check_decimals,
    is_missing,
    number,
    scales_of,
)
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip, Fault
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.named_recordings import NamedRecordings
from streamer.evaluation.scales import Rating, mean_rating
from streamer.text import many
from streamer.types import DIMENSIONS

NAMED: Final = 5
NOT_LABELLED: Final = "a recording without a row in the labels"
# What these columns are usually called, in lower case; the first is also the name of the flag.
USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "file": ("file", "filename", "file_name", "path", "filepath", "wav", "audio", "source"),
    "speaker": ("speaker", "speaker_id", "spkid", "spkrid", "actor", "subject", "participant"),
    "session": ("session", "session_id", "dialog", "dialogue"),
    "emotion": ("emotion", "label", "category", "class"),
    "valence": ("valence",),
    "arousal": ("arousal", "activation"),
    "dominance": ("dominance",),
    "onset": ("onset", "onset_s", "start", "start_s"),
    "offset": ("offset", "offset_s", "end", "end_s"),
    "annotator": ("annotator", "rater", "worker"),
    "split": ("split", "part", "partition"),
}


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The column that holds each thing, in any case; None: the usual name that is there."""

    file: str | None = None
    speaker: str | None = None
    session: str | None = None
    emotion: str | None = None
    valence: str | None = None
    arousal: str | None = None
    dominance: str | None = None

    def found(self, names: Sequence[str]) -> dict[str, str]:
        """What each thing's column among `names` is called; without those that are not there.

        Raises UsageError for a given name that is not there, and where several could be meant.
        """
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        columns: dict[str, str] = {}
        for thing, usual in USUAL.items():
            wanted = given.get(thing)
            there = [name for name in usual if name in names]
            if wanted is not None:
                if wanted.strip().lower() not in names:
                    raise UsageError(
                        f"--{thing}-column {wanted}: there is no such column; there is: "
                        f"{', '.join(filter(None, names))}"
                    )
                there = [wanted.strip().lower()]
            if len(there) > 1 and thing in given:
                raise UsageError(
                    f"the columns {' and '.join(there)} could both be the {thing}: name one with "
                    f"--{thing}-column"
                )
            if there:
                columns[thing] = there[0]
        return columns


@dataclass(frozen=True, slots=True)
class OwnLabels:
    """The label file of a folder of recordings, and how it is read.

    Parameters
    ----------
    path
        The table.
    columns
        Which column holds what.
    scales
        Of the ratings; None: they must lie in [-1, 1].
    skip_missing
        Leave out rows whose recording is not there, instead of an error.
    """

    path: Path
    columns: LabelColumns = field(default_factory=LabelColumns)
    scales: Scales | None = None
    skip_missing: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """A row whose recording was found."""

    clip: tuple[str, float, float | None]
    place: str
    cells: Mapping[str, str]
    answer: Answer
    rated: Rating
    word: str


def read_own_corpus(folder: Path, labels: OwnLabels) -> Corpus:
    """The clips of a folder that a table labels, in the order of the table.

    See `NamedRecordings` for what a recording may be called. Recordings without a row are among the
    faults.

    Raises CorpusError for rows without a recording or a speaker, UsageError for a table that cannot
    be read.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is no folder: give the one that holds the recordings")
    table, columns = _open(labels)
    rows = list(table.rows())
    names = {thing: columns[thing] for thing in DIMENSIONS if thing in columns}
    renamed = [_renamed(row, columns) for row in rows]
    check_decimals(table, renamed, list(names))
    scales = labels.scales or scales_of(table, renamed, None)
    recordings = NamedRecordings(folder)
    read: list[_Row] = []
    missing: list[str] = []
    for row in renamed:
        try:
            clip = _clip(recordings, row)
            if clip is None:
                missing.append(f"line {row.line}: {row.cells['file']}")
            else:
                read.append(_read(table.place(row), clip, row, scales))
        except UsageError as error:
            raise CorpusError(f"{table.place(row)}: {error}") from error
    if missing and not labels.skip_missing:
        raise CorpusError(
            f"{many(len(missing), 'row')} of {labels.path} without a recording in {folder} "
            f"({_some(missing)}): correct them, name the right column with --file-column, or "
            "leave them out with --skip-missing"
        )
    return _corpus(folder, labels, read, missing, recordings)


def _open(labels: OwnLabels) -> tuple[TextTable, dict[str, str]]:
    wanted = (labels.columns.file or "").strip().lower()

    def can_head(names: Sequence[str]) -> bool:
        return wanted in names if wanted else bool(set(USUAL["file"]) & set(names))

    table = TextTable(
        labels.path, can_head,
        "a column with the recording of each row, such as file, separated by commas, semicolons "
        "or tabs; called otherwise, name it with --file-column",
        "--labels",
    )  # fmt: skip
    columns = labels.columns.found(table.heading.names)
    there = ", ".join(filter(None, table.heading.names))
    if "speaker" not in columns:
        raise CorpusError(
            f"{labels.path} has no column with the speaker, and no speaker may be learned from and "
            f"tested on: name it with --speaker-column; there is: {there}"
        )
    if not {"emotion", *DIMENSIONS} & columns.keys():
        raise CorpusError(
            f"{labels.path} has no column emotion, valence or arousal: name what there is with "
            f"--emotion-column, --valence-column, --arousal-column; there is: {there}"
        )
    return table, columns


def _renamed(row: Row, columns: Mapping[str, str]) -> Row:
    """The row with the cells that are read, by what they hold."""
    cells = {thing: active(row.cells[name]) for thing, name in columns.items()}
    return Row(row.line, row.text, cells)


def _clip(recordings: NamedRecordings, row: Row) -> tuple[str, float, float | None] | None:
    path = recordings.find(row.cells["file"])
    start_s, end_s = (number(n, row.cells.get(n, "")) for n in ("onset", "offset"))
    if (start_s or 0.0) < 0.0 or (end_s is not None and end_s <= (start_s or 0.0)):
        raise UsageError(f"onset {start_s}, offset {end_s}: give seconds, onset < offset")
    return None if path is None else (path, start_s or 0.0, end_s)


def _read(place: str, clip: tuple[str, float, float | None], row: Row, scales: Scales) -> _Row:
    word = row.cells.get("emotion", "")
    word = "" if is_missing(word) else word
    values = [number(name, row.cells.get(name, "")) for name in DIMENSIONS]
    unit = Rating(*(_to_unit(n, v, scales) for n, v in zip(DIMENSIONS, values, strict=True)))
    name = common_emotion(word) or word.strip().lower() or None
    answer = Answer(row.cells.get("annotator", ""), name, unit)
    return _Row(clip, place, row.cells, answer, Rating(*values), word)


def _to_unit(dimension: str, value: float | None, scales: Scales) -> float | None:
    if value is None:
        return None
    least, most = scales.ends[dimension]
    if not min(least, most) <= value <= max(least, most):
        raise UsageError(
            f"{dimension} is {value:g}, not on the scale {least:g}:{most:g}: correct it, or give "
            "another --scale"
        )
    return 2.0 * (value - least) / (most - least) - 1.0


def _corpus(
    folder: Path,
    labels: OwnLabels,
    rows: Iterable[_Row],
    missing: Sequence[str],
    recordings: NamedRecordings,
) -> Corpus:
    builder = CorpusBuilder(labels.path.stem, folder)
    builder.faults(Fault(row, "a row without its recording") for row in missing)
    by_clip: dict[tuple[str, float, float | None], list[_Row]] = {}
    for row in rows:
        by_clip.setdefault(row.clip, []).append(row)
    for (path, start_s, end_s), own in by_clip.items():
        at = "" if (start_s, end_s) == (0.0, None) else f" {start_s:g}-{end_s or 'end'}"
        first = own[0].cells
        if any(row.cells["speaker"] != first["speaker"] for row in own):
            raise CorpusError(
                f"{own[-1].place}: {path}{at} has two speakers, {first['speaker']!r} and another: "
                "give each clip one, or the onset and offset of each part"
            )
        speaker = first["speaker"]
        builder.add(
            CorpusClip(
                utterance=f"{path}{at}",
                speaker="" if is_missing(speaker) else speaker,
                session=first.get("session", ""),
                emotion=_most_named(builder, f"{path}{at}", own),
                original_emotion="|".join(dict.fromkeys(row.word for row in own if row.word)),
                rated=mean_rating([row.rated for row in own]),
                affect=mean_rating([row.answer.affect for row in own]),
                answers=tuple(row.answer for row in own) if len(own) > 1 else (),
                path=folder / path,
                start_s=start_s,
                end_s=end_s,
                split=first.get("split", "").lower(),
            )
        )
    named = {path for path, _, _ in by_clip}
    builder.faults(Fault(path, NOT_LABELLED) for path in recordings.paths if path not in named)
    return builder.finish(f"recordings, and {labels.path} with a row for each")


def _most_named(builder: CorpusBuilder, clip: str, rows: Sequence[_Row]) -> str | None:
    counts = Counter(row.answer.emotion for row in rows if row.answer.emotion is not None)
    if not counts:
        return None
    (first, most), *others = counts.most_common(2)
    if others and others[0][1] == most:
        builder.fault(clip, "as many answers for one emotion as for another")
        return None
    return first


def _some(named: Sequence[str]) -> str:
    return ", ".join(named[:NAMED]) + (", ..." if len(named) > NAMED else "")
