"""nEMO (Christop 2024, LREC-COLING): nine Polish actors, 6 emotions, 90 sentences.

samples/SPEAKER_emotion_sentence.wav, and data.tsv with file_id, emotion, speaker_id and more.
Confirmed from the owner's repository (amu-cai/nEMO: README, data.tsv, file listing). Names and
table must agree; a difference, or a row without a file, is a fault. The table is optional.
"""

import re
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Corpus, Fault
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.file_names import FileName, add_named_files, file_name_reader
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.tables import read_table

LAYOUT: Final = "data.tsv and samples/SM0_anger_6.wav"
TABLE: Final = "data.tsv"
_NAME: Final = re.compile(r"([A-Z]{2}\d)_([a-z]+)_\d+")
_CODES: Final = {
    word: common_emotion(word)
    for word in ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
}


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("samples/SM0_anger_6.wav"))
    FileName(utterance='SM0_anger_6', speaker='SM0', code='anger')
    """
    match = _NAME.fullmatch(path.stem)
    return match and FileName(path.stem, match[1], match[2])


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("nemo", folder)
    add_named_files(builder, audio_files(folder), _CODES, parse)
    if (folder / TABLE).is_file():
        _compare(builder, folder / TABLE)
    return builder.finish(LAYOUT)


def _compare(builder: CorpusBuilder, table: Path) -> None:
    faults: list[Fault] = []
    for where, row in read_table(table, ("file_id", "emotion", "speaker_id"), faults):
        name = Path(row["file_id"])
        if name.stem not in builder:
            builder.fault(f"{where}: {name}", "a row of data.tsv without its file")
        elif parse(name) != FileName(name.stem, row["speaker_id"], row["emotion"]):
            builder.fault(f"{where}: {name}", "a name that data.tsv contradicts")
    builder.faults(faults)


READER: Final = Reader(
    "nemo", "nEMO", LAYOUT, file_name_reader("nemo", "nEMO", LAYOUT, _CODES, parse).fits, read
)
