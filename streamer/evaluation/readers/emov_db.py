"""EmoV-DB (Adigwe et al. 2018, arXiv 1806.09514): four actors, 5 styles, CMU Arctic sentences.

bea_Amused/amused_1-15_0001.wav (the archives of openslr.org/115) or bea/Amused/... (the sorted
version): the folder says the speaker, the name the style, its range of annotations and the
sentence. Confirmed from the owners' README (numediart/EmoV-DB).
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import EMOV_DB
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_NAME: Final = re.compile(r"([a-z]+)_(\d+-\d+)_(\d{4})", re.IGNORECASE)
_FOLDER: Final = re.compile(r"(bea|jenie|josh|sam)(?:_[a-z]+)?", re.IGNORECASE)


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("bea_Amused/amused_1-15_0001.wav"))
    FileName(utterance='bea_amused_1-15_0001', speaker='bea', code='amused')
    """
    match = _NAME.fullmatch(path.stem)
    folders = [found for part in path.parts[:-1] if (found := _FOLDER.fullmatch(part))]
    if match is None or not folders:
        return None
    speaker = folders[-1][1].lower()
    return FileName(f"{speaker}_{path.stem.lower()}", speaker, match[1].lower())


READER: Final = file_name_reader(
    "emov-db", "EmoV-DB", "bea_Amused/amused_1-15_0001.wav", EMOV_DB, parse
)
