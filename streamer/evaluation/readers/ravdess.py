"""RAVDESS (Livingstone and Russo 2018, PLoS ONE 13): 24 actors, 8 emotions, two sentences.

Actor_XX/MM-VV-EE-II-SS-RR-AA.wav: modality (03 is audio only), vocal channel (01 speech, 02 song),
emotion, intensity, statement, repetition, actor. Confirmed from the owner's own description of the
archive (zenodo.org/record/1188976). Songs and files without sound (modality 02) are left out.
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import RAVDESS
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_NAME: Final = re.compile(r"0[13]-01-(\d\d)-\d\d-\d\d-\d\d-(\d\d)")


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("Actor_12/03-01-06-01-02-01-12.wav"))
    FileName(utterance='03-01-06-01-02-01-12', speaker='12', code='06')
    """
    match = _NAME.fullmatch(path.stem)
    return match and FileName(path.stem, match[2], match[1])


READER: Final = file_name_reader(
    "ravdess", "RAVDESS", "Actor_01/03-01-06-01-02-01-01.wav", RAVDESS, parse
)
