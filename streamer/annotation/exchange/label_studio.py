"""Label Studio's JSON: a list of tasks with their annotations, as its export writes it.

A task that `streamer` wrote says in its `data` which utterance, recording and times it is about;
regions of other tasks have times of their own. Results are read by the name of their control tag:
``valence``, ``arousal``, ``dominance`` (Number, Rating, or Choices of numbers), and any Choices or
Labels for the emotion.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamer.annotation.exchange.timed import TimedLabel, TimedMarker, merged, number
from streamer.errors import UsageError
from streamer.types import DIMENSIONS


def read(path: Path) -> list[TimedLabel]:
    """Raises UsageError with the task."""
    try:
        tasks = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON ({error}): export it as JSON") from error
    if not isinstance(tasks, list):
        raise UsageError(f"{path} holds no list of tasks: export it as JSON, not JSON-MIN")
    labels: list[TimedLabel] = []
    for count, task in enumerate(tasks, 1):
        place = f"{path}, task {count}"
        try:
            labels += _of_task(task, place)
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
            raise UsageError(f"{place} is no task of Label Studio's export ({error})") from error
    return _merged(labels)


def write(path: Path, labels: Sequence[TimedLabel], markers: Sequence[TimedMarker] = ()) -> None:
    """Tasks with finished annotations, to be imported there; the data of each has all markers."""
    tasks: list[dict[str, Any]] = []
    marked: dict[str, Any] = {"markers": [asdict(one) for one in markers]} if markers else {}
    for one in labels:
        results: list[dict[str, Any]] = [
            {"from_name": name, "to_name": "audio", "type": "number", "value": {"number": value}}
            for name, value in one.values.items()
        ]
        if one.emotion is not None:
            choices = {"choices": [one.emotion]}
            results.append({"from_name": "emotion", "to_name": "audio", "type": "choices",
                            "value": choices})  # fmt: skip
        whose = {"email": one.annotator or ""}
        annotation: dict[str, Any] = {"result": results, "completed_by": whose}
        tasks.append({"data": {**data_of(one), **marked}, "annotations": [annotation]})
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), "utf-8")


def data_of(one: TimedLabel, audio: str = "") -> dict[str, Any]:
    """The `data` of a task: what is played, and by what its answer finds its utterance again."""
    data: dict[str, Any] = {"audio": audio or one.source, "source": one.source,
                            "onset_s": one.onset_s, "offset_s": one.offset_s}  # fmt: skip
    return data if one.utterance is None else {**data, "utterance": one.utterance}


def _of_task(task: dict[str, Any], place: str) -> Iterator[TimedLabel]:
    data = task["data"]
    audio = str(data.get("source") or data.get("audio") or "")
    for annotation in task.get("annotations", []):
        if annotation.get("was_cancelled"):
            continue
        whose = _name_of(annotation.get("completed_by"))
        for result in annotation["result"]:
            value, name = result["value"], str(result.get("from_name", "")).lower()
            has_times = "start" in value and "end" in value
            onset_s = float(value["start"] if has_times else data.get("onset_s", 0.0))
            offset_s = float(value["end"] if has_times else data.get("offset_s", float("inf")))
            values, emotion = _answer(result["type"], value, name)
            if values or emotion:
                number_of = None if has_times else data.get("utterance")
                yield TimedLabel(audio, onset_s, offset_s, values, emotion, whose,
                                 None if number_of is None else int(number_of), place)  # fmt: skip


def _answer(kind: str, value: dict[str, Any], name: str) -> tuple[dict[str, float], str | None]:
    given = value.get(kind, value.get("number", value.get("rating")))
    if isinstance(given, list):
        given = given[0] if given else None
    if given is None:
        return {}, None
    if name in DIMENSIONS:
        return {name: number(str(given))}, None
    return ({}, str(given)) if kind in ("choices", "labels") else ({}, None)


def _name_of(person: Any) -> str | None:
    if isinstance(person, dict):
        name = person.get("email") or person.get("username") or person.get("id")
        return str(name) if name else None
    return None if person is None else f"annotator {person}"


def _merged(labels: list[TimedLabel]) -> list[TimedLabel]:
    """Results of a task by one person are one answer; those about utterances go by the number."""
    numbered = [one for one in labels if one.utterance is not None]
    others = [one for one in labels if one.utterance is None]
    found: list[TimedLabel] = merged(others)
    for utterance in dict.fromkeys(one.utterance for one in numbered):
        found += merged(one for one in numbered if one.utterance == utterance)
    return found
