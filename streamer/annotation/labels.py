"""Answers from people: one at a time, from a CSV file, and taken back."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path

from streamer.errors import UsageError
from streamer.learners.answers import checked_answer, checked_scale, emotion_name
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import PATIENCE_S, Profile
from streamer.text import many
from streamer.types import Label

COLUMNS = ("utterance", "valence", "arousal", "dominance", "emotion", "annotator")
UNIT = (-1.0, 1.0)
# Others than a listening session hold a profile for a moment only.
GLIMPSE_S = 0.1


def give(profile: Profile, labels: Sequence[Label], scale: tuple[float, float] = UNIT) -> str:
    """Store labels, all or none, then learn them; what came of it, in words.

    Raises UsageError, NotFound and other kinds of ProfileError.
    """
    before = profile.labels.count()
    profile.labels.add(labels, time.time(), scale)
    # One counts of each annotator and utterance, the last.
    replaced = len(labels) - (profile.labels.count() - before)
    said = f", {replaced} in place of an earlier one" if replaced else ""
    return f"{many(len(labels), 'label')} stored{said}; {_learn_here(profile)}"


def take_back(profile: Profile, count: int, annotator: str | None = None) -> str:
    """Undo the last labels that stand, of one annotator or of all; what came of it, in words.

    Raises UsageError for a count below 1, ProfileError.
    """
    if count < 1:
        raise UsageError(f"cannot undo {count} labels: give 1 or more")
    undone = profile.labels.undo(count, time.time(), annotator)
    if not undone:
        return "there is no label to take back"
    numbers = ", ".join(f"#{e.label.utterance} by {e.label.annotator}" for e in undone)
    fewer = ", there were no more" * (len(undone) < count)
    return f"{many(len(undone), 'label')} taken back ({numbers}){fewer}; {_learn_here(profile)}"


def withdraw(profile: Profile, seq: int) -> str:
    """Take one label of the log back; what came of it, in words. Raises NotFound, ProfileError."""
    entry = profile.labels.retract(seq, time.time())
    return f"the label of #{entry.label.utterance} taken back; {_learn_here(profile)}"


def one(
    utterance: int,
    valence: float | None,
    arousal: float | None,
    dominance: float | None,
    emotion: str | None,
    annotator: str,
) -> Label:
    """A label as typed: valence with arousal, and dominance at will; an emotion; or all of them.

    Raises UsageError: a later answer replaces an earlier one whole, so half of one is no answer.
    """
    dominance_alone = valence is None and dominance is not None
    if (valence is None) != (arousal is None) or dominance_alone:
        raise UsageError(
            f"utterance {utterance}: give valence and arousal together, and dominance only "
            "with both; or an emotion alone"
        )
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
    return checked_scale((low, high))


def _learn_here(profile: Profile) -> str:
    """Learn what the log holds, unless another process has taken the profile over."""
    listening = "streamer run" in (profile.meta("holder") or "")
    if not profile.take_over("streamer label", GLIMPSE_S if listening else PATIENCE_S):
        return "the listening session learns it"
    try:
        profile_model = ProfileModel(profile)
        profile_model.catch_up()
        profile_model.save()
    finally:
        profile.let_go()
    return f"learned, {many(profile_model.model.labels, 'label')} in all"


def read_labels(path: Path, annotator: str, scale: tuple[float, float] = UNIT) -> list[Label]:
    """Labels of a CSV file: utterance,valence,arousal[,dominance][,emotion][,annotator].

    An empty cell is no answer; a row is as whole as `one`, with values on `scale`. Emotions alone
    need no other columns. Raises UsageError naming the file and the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [(name or "").strip() for name in reader.fieldnames or []]
            if not _can_head(names):
                raise UsageError(
                    f"{path}, line 1: {','.join(names)!r} must name the columns "
                    f"{','.join(COLUMNS)}, each once: utterance, and valence and arousal, or "
                    "emotion, or all of them; the rest as needed"
                )
            reader.fieldnames = names
            labels = []
            for row in reader:
                if any(row.values()):
                    try:
                        labels.append(checked_answer(_label(row, annotator), scale))
                    except UsageError as error:
                        raise UsageError(f"{path}, line {reader.line_num}: {error}") from error
            return labels
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: give an existing CSV file to --import"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a CSV file in UTF-8 ({error}): save it anew as CSV, encoded in UTF-8"
        ) from error


def _can_head(names: Sequence[str]) -> bool:
    """These columns can hold whole answers."""
    values = {"valence", "arousal"} & set(names)
    return (
        "utterance" in names
        and set(names) <= set(COLUMNS)
        and len(set(names)) == len(names)
        and (len(values) == 2 or ("emotion" in names and not values and "dominance" not in names))
    )


def _label(row: dict[str, str | None], annotator: str) -> Label:
    def number(column: str) -> float | None:
        cell = (row.get(column) or "").strip()
        try:
            return float(cell) if cell else None
        except ValueError:
            raise UsageError(f"{column} is {cell!r}; give a number") from None

    if None in row:
        raise UsageError("more cells than the first line names: quote a cell that holds a comma")
    if None in row.values():
        raise UsageError("fewer cells than the first line names: leave a cell empty, not away")
    try:
        utterance = int((row["utterance"] or "").strip())
    except ValueError:
        raise UsageError(f"utterance is {row['utterance']!r}; give its number") from None
    return one(
        utterance,
        number("valence"),
        number("arousal"),
        number("dominance"),
        (row.get("emotion") or "").strip() or None,
        (row.get("annotator") or "").strip() or annotator,
    )
