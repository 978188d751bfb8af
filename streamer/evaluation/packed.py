"""Packed corpora: one long audio file a corpus, and a table with the position of each clip.

clips.csv has a row a clip (corpus, clip, start, samples, language, speaker, gender, emotion,
extra), start and samples counted at 16 kHz; CORPUS.opus (or .flac, .ogg, .wav) holds the sound.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Corpus, CorpusClip, Fault
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.tables import read_table
from streamer.types import SAMPLE_RATE_HZ

TABLE: Final = "clips.csv"
_SUFFIXES: Final = (".opus", ".flac", ".ogg", ".wav")
_COLUMNS: Final = ("corpus", "clip", "start", "samples", "speaker", "emotion")


def packed_names(folder: Path) -> list[str]:
    """The corpora that a packed folder holds, in the order of the table."""
    rows = read_table(folder / TABLE, _COLUMNS, [])
    return list(dict.fromkeys(row["corpus"] for _, row in rows))


def read_packed(folder: Path, name: str) -> Corpus:
    """One corpus of a packed folder. Raises CorpusError if it is missing."""
    faults: list[Fault] = []
    builder = CorpusBuilder(name, folder)
    sound = _sound(folder, name)
    for where, row in read_table(folder / TABLE, _COLUMNS, faults):
        if row["corpus"] != name:
            continue
        try:
            start, samples = int(row["start"]), int(row["samples"])
        except ValueError:
            builder.fault(where, "a start or length that is no whole number")
            continue
        clip = CorpusClip(
            utterance=row["clip"],
            speaker=row["speaker"],
            emotion=common_emotion(row["emotion"]),
            original_emotion=row["emotion"],
            path=sound,
            start_s=start / SAMPLE_RATE_HZ,
            end_s=(start + samples) / SAMPLE_RATE_HZ,
        )
        builder.add(clip)
    builder.faults(faults)
    return builder.finish(f"{TABLE} with rows of {name!r} and {name}.opus")


def _sound(folder: Path, name: str) -> Path:
    paths: Sequence[Path] = [folder / f"{name}{suffix}" for suffix in _SUFFIXES]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        there = ", ".join(packed_names(folder))
        raise CorpusError(f"{folder} has no {name}.opus; its {TABLE} names: {there}")
    return found
