"""eNTERFACE'05 (Martin et al. 2006, ICDEW): 44 subjects, 6 emotions, five sentences each, English.

subject N/anger/sentence M/sN_an_M.avi, videos; confirmed from Strong-AI-Lab/emotion
(datasets/eNTERFACE/process.py), with its list of slips: subject 11's files are named s12, some
names read s_3_ or end in "avi", and subject 6 is not cut into sentences. The folder names the
subject. Videos are not decoded: put a WAV of the same name beside each.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.emotions import ENTERFACE
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.file_names import HALF, FileName, add_named_files
from streamer.evaluation.readers.reader import Reader, share

LAYOUT: Final = (
    "subject 1/anger/sentence 1/s1_an_1.wav (first: for f in */*/*/*.avi; "
    'do ffmpeg -i "$f" -ar 16000 -ac 1 "${f%.avi}.wav"; done)'
)
_NAME: Final = re.compile(r"s_?(\d+)_([a-z]{2})_?(\d+)(?:avi)?", re.IGNORECASE)
_FOLDER: Final = re.compile(r"subject[ _-](\d+)", re.IGNORECASE)


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("subject 11/anger/sentence 2/s12_an_2.wav"))
    FileName(utterance='s11_an_2', speaker='11', code='an')
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    subjects = [found[1] for part in path.parts[:-1] if (found := _FOLDER.fullmatch(part))]
    subject = subjects[-1] if subjects else match[1]
    code = match[2].lower()
    return FileName(f"s{subject}_{code}_{match[3]}", subject, code)


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("enterface", folder)
    sounds = [path for path in audio_files(folder) if path.suffix.lower() != ".avi"]
    add_named_files(builder, sounds, ENTERFACE, parse)
    heard = {path.with_suffix("") for path in sounds}
    for video in sorted(folder.rglob("*.avi")):
        if video.with_suffix("") not in heard:
            builder.fault(builder.relative(video), "a video without a WAV beside it")
    return builder.finish(LAYOUT)


def fits(folder: Path, audio: Sequence[Path]) -> bool:
    subjects = any(_FOLDER.fullmatch(path.name) for path in folder.iterdir() if path.is_dir())
    return subjects or share(audio, lambda path: parse(path) is not None) >= HALF


READER: Final = Reader("enterface", "eNTERFACE'05", LAYOUT, fits, read)
