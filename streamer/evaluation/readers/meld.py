"""MELD (Poria et al. 2019, ACL): utterances of "Friends" in train, dev and test, 7 emotions.

train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv with Speaker, Emotion, Dialogue_ID and
Utterance_ID; videos diaX_uttY.mp4 in train_splits, dev_splits_complete and
output_repeated_splits_test. Confirmed from the owners' repository (declare-lab/MELD, data/MELD) and
Strong-AI-Lab/emotion (datasets/MELD/process.py). Videos are not decoded: put a WAV of the same name
beside each. Numbers repeat across the parts, and so do the leading speakers: MELD's own split is
not independent of the speaker.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Corpus, CorpusClip, Fault
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.tables import read_table

LAYOUT: Final = (
    "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv and train_splits/dia0_utt0.wav "
    '(first: for f in */dia*.mp4; do ffmpeg -i "$f" -ar 16000 -ac 1 "${f%.mp4}.wav"; done)'
)
_COLUMNS: Final = ("Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
# The owners' name of a part in file names, and ours.
_PARTS: Final = {"train": "train", "dev": "validation", "test": "test"}
_NAME: Final = re.compile(r"dia\d+_utt\d+")


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("meld", folder)
    sounds = _sounds(folder, builder)
    for part, split in _PARTS.items():
        table = _table(folder, part)
        if table is None:
            builder.fault(f"{part}_sent_emo.csv", "a table that is not there")
        else:
            _add_part(builder, table, part, split, sounds)
    return builder.finish(LAYOUT)


def _add_part(
    builder: CorpusBuilder,
    table: Path,
    part: str,
    split: str,
    sounds: dict[tuple[str, str], Path],
) -> None:
    faults: list[Fault] = []
    for where, row in read_table(table, _COLUMNS, faults):
        name = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
        path = sounds.get((part, name))
        if path is None:
            builder.fault(f"{where}: {part} {name}", "an utterance without its sound file")
            continue
        clip = CorpusClip(
            utterance=f"{part}_{name}",
            speaker=row["Speaker"],
            session=f"{part}_dia{row['Dialogue_ID']}",
            emotion=common_emotion(row["Emotion"]),
            original_emotion=row["Emotion"],
            path=path,
            split=split,
        )
        builder.add(clip)
    builder.faults(faults)


def _sounds(folder: Path, builder: CorpusBuilder) -> dict[tuple[str, str], Path]:
    """Sound files by part and name; the part is in the name of a folder above."""
    found: dict[tuple[str, str], Path] = {}
    for path in audio_files(folder):
        folders = "/".join(path.relative_to(folder).parts[:-1]).lower()
        part = next((part for part in _PARTS if part in folders), None)
        if part is None or not _NAME.fullmatch(path.stem):
            builder.fault(builder.relative(path), "a sound file that is no utterance of meld")
        else:
            found.setdefault((part, path.stem), path)
    return found


def _table(folder: Path, part: str) -> Path | None:
    return next(iter(sorted(folder.rglob(f"{part}_sent_emo.csv"))), None)


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    places = (folder, folder / "train", folder / "data" / "MELD", folder / "MELD.Raw")
    return any((place / "train_sent_emo.csv").is_file() for place in places)


READER: Final = Reader("meld", "MELD", LAYOUT, fits, read)
