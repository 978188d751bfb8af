"""Questions about a pool as files: a table to fill in, snippets of sound, Label Studio's tasks."""

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streamer.annotation.csv import COLUMNS, TIMES
from streamer.annotation.exchange.label_studio import data_of
from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.pool.asking import audio_of
from streamer.annotation.text_table import inert
from streamer.errors import UsageError
from streamer.loop.pool.pool import Pool
from streamer.types import SAMPLE_RATE_HZ, Samples

# What a person fills in stands behind what says which utterance it is.
HEADER: Final = (COLUMNS[0], "clip", *TIMES, *COLUMNS[1:])


@dataclass(frozen=True, slots=True)
class QuestionFiles:
    """Where the questions of a round are written. clips: None where no audio may be written."""

    table: Path
    tasks: Path
    clips: Path | None

    @classmethod
    def beside(cls, table: Path, *, with_audio: bool) -> "QuestionFiles":
        """Raises UsageError where one of them is there: a table may hold answers by now."""
        if table.suffix.lower() != ".csv":
            raise UsageError(f"--out {table}: give a name that ends in .csv")
        files = cls(
            table,
            table.with_suffix(".json"),
            table.with_name(f"{table.stem}_clips") if with_audio else None,
        )
        for path in (files.table, files.tasks, files.clips):
            if path is not None and path.exists():
                raise UsageError(
                    f"{path} is there already, perhaps with answers: name another with --out"
                )
        if not table.absolute().parent.is_dir():
            raise UsageError(
                f"--out {table}: there is no folder {table.parent}: make it, or choose another"
            )
        return files


def write_questions(files: QuestionFiles, pool: Pool, rows: dict[int, int]) -> int:
    """Write questions; how many have sound.

    rows: of the pool, by the number of the utterance, in the order in which they are to be asked.
    """
    found = dict(zip(rows, pool.take(list(rows.values())), strict=True))
    clips: dict[int, str] = {}
    if files.clips is not None:
        files.clips.mkdir(mode=0o700)
        for utterance, row in found.items():
            audio = audio_of(row)
            if audio is not None:
                name = files.clips / f"{utterance}.wav"
                _write_clip(name, audio)
                clips[utterance] = f"{files.clips.name}/{name.name}"
    tasks = [
        {"data": data_of(_place(utterance, row), clips.get(utterance, ""))}
        for utterance, row in found.items()
    ]
    _write(files.tasks, json.dumps(tasks, ensure_ascii=False, indent=1))
    _write(files.table, _table(found, clips))
    return len(clips)


def _table(found: dict[int, dict[str, Any]], clips: dict[int, str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for utterance, row in found.items():
        place = (inert(row["file"]), row["onset_s"], row["offset_s"])
        writer.writerow([utterance, clips.get(utterance, ""), *place, *[""] * len(COLUMNS[1:])])
    return text.getvalue()


def _place(utterance: int, row: dict[str, Any]) -> TimedLabel:
    return TimedLabel(row["file"], row["onset_s"], row["offset_s"], {}, utterance=utterance)


def _write_clip(path: Path, audio: Samples) -> None:
    import soundfile

    with open(path, "wb", opener=_private) as file:
        soundfile.write(file, audio.clip(-1.0, 1.0), SAMPLE_RATE_HZ, "PCM_16", format="WAV")


def _write(path: Path, text: str) -> None:
    """Whole, or not at all; for this user alone."""
    part = path.with_name(f".{path.name}.new")
    with open(part, "w", encoding="utf-8", newline="", opener=_private) as file:
        file.write(text)
    part.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def open_rows(open_utterances: Sequence[int], rows: dict[int, int]) -> dict[int, int]:
    """Of the questions that are open, those of this pool, in the order of the first."""
    return {utterance: rows[utterance] for utterance in open_utterances if utterance in rows}
