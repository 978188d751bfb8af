"""Answers from people: one at a time, from a CSV file, and taken back."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path

from streamer.errors import UsageError
from streamer.learning import Learning
from streamer.messages import Label
from streamer.store.labels import LONGEST_NAME
from streamer.store.profile import PATIENCE_S, Profile

COLUMNS = ("utterance", "valence", "arousal", "dominance", "emotion", "annotator")
UNIT = (-1.0, 1.0)
# Others than a listening session hold a profile for a moment only.
GLIMPSE_S = 0.1


def give(profile: Profile, labels: Sequence[Label], scale: tuple[float, float] = UNIT) -> str:
    """Store labels, all or none, then learn them; what came of it, in words.

    Raises UsageError, NotFound and other kinds of ProfileError.
    """
    profile.labels.add(labels, time.time(), scale)
    return f"{_labels(len(labels))} stored; {_learn_here(profile)}"


def take_back(profile: Profile, count: int) -> str:
    """Undo the last labels that stand; what came of it, in words.

    Raises UsageError for a count below 1, ProfileError.
    """
    if count < 1:
        raise UsageError(f"cannot undo {count} labels: give 1 or more")
    undone = profile.labels.undo(count, time.time())
    if not undone:
        return "there is no label to take back"
    numbers = ", ".join(f"#{entry.label.utterance}" for entry in undone)
    return f"{_labels(len(undone))} taken back ({numbers}); {_learn_here(profile)}"


def one(
    utterance: int,
    valence: float | None,
    arousal: float | None,
    dominance: float | None,
    emotion: str | None,
    annotator: str,
) -> Label:
    """A label as typed on the command line: valence with arousal, an emotion, or all of them.

    Raises UsageError: a later answer replaces an earlier one whole, so half of one is no answer.
    """
    if (valence is None) != (arousal is None):
        raise UsageError(f"utterance {utterance}: give --valence and --arousal together")
    name = None if emotion is None else emotion_name(emotion)
    return Label(utterance, valence, arousal, dominance, name, annotator)


def read_scale(text: str | None) -> tuple[float, float]:
    """LOW:HIGH in numbers; the usual -1:1 for None. Raises UsageError."""
    if text is None:
        return UNIT
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise UsageError(f"scale {text!r}: give LOW:HIGH, for example 1:5") from None
    return low, high


def _learn_here(profile: Profile) -> str:
    """Learn what the log holds, unless another process has taken the profile over."""
    listening = "streamer run" in (profile.meta("holder") or "")
    if not profile.take_over("streamer label", GLIMPSE_S if listening else PATIENCE_S):
        return "the listening session learns it"
    try:
        learning = Learning(profile)
        learning.catch_up()
        learning.save()
    finally:
        profile.let_go()
    return f"learned, {_labels(learning.labels)} in all"


def _labels(count: int) -> str:
    return f"{count} label{'s' * (count != 1)}"


def read_labels(path: Path, annotator: str) -> list[Label]:
    """Labels of a CSV file: utterance,valence,arousal[,dominance][,emotion][,annotator].

    An empty cell is no answer. Raises UsageError naming the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [(name or "").strip() for name in reader.fieldnames or []]
            twice = len(set(names)) < len(names)
            if "utterance" not in names or twice or not set(names) <= set(COLUMNS):
                raise UsageError(
                    f"{path}: the first line is {','.join(names)!r}; it must name the columns "
                    f"{','.join(COLUMNS)} (those after the first as needed), each once"
                )
            reader.fieldnames = names
            return [
                _label(f"{path}, line {reader.line_num}", row, annotator)
                for row in reader
                if any(row.values())
            ]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8: {error}") from error


def emotion_name(name: str) -> str:
    """A name as it is kept: trimmed, in lower case. Raises UsageError."""
    kept = " ".join(name.split()).lower()
    if not kept or len(kept) > LONGEST_NAME or not kept.isprintable():
        raise UsageError(
            f"emotion {name!r}: give a name of 1 to {LONGEST_NAME} printable characters"
        )
    return kept


def _label(place: str, row: dict[str, str | None], annotator: str) -> Label:
    def number(column: str) -> float | None:
        cell = (row.get(column) or "").strip()
        try:
            return float(cell) if cell else None
        except ValueError:
            raise UsageError(f"{place}: {column} is {cell!r}; give a number") from None

    if None in row:
        raise UsageError(f"{place}: more cells than the first line names")
    try:
        utterance = int((row["utterance"] or "").strip())
    except ValueError:
        raise UsageError(f"{place}: utterance is {row['utterance']!r}; give its number") from None
    emotion = (row.get("emotion") or "").strip()
    return Label(
        utterance=utterance,
        valence=number("valence"),
        arousal=number("arousal"),
        dominance=number("dominance"),
        emotion=emotion_name(emotion) if emotion else None,
        annotator=(row.get("annotator") or "").strip() or annotator,
    )
