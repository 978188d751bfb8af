"""EmoDB (Burkhardt et al. 2005, Interspeech): ten German speakers, 7 emotions, ten sentences.

wav/SStttEv.wav: speaker (03, 08 to 16), text (a01 to b10), emotion (the first letter of its German
word), version. Confirmed from the emotion table of the Strong-AI-Lab/emotion repository
(datasets/EMO-DB/process.py), which agrees with the owner's page (emodb.bilderbar.info).
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import EMODB
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_NAME: Final = re.compile(r"(\d\d)[ab]\d\d([A-Z])[a-z]?")


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("wav/03a01Wa.wav"))
    FileName(utterance='03a01Wa', speaker='03', code='W')
    """
    match = _NAME.fullmatch(path.stem)
    return match and FileName(path.stem, match[1], match[2])


READER: Final = file_name_reader("emodb", "EmoDB", "wav/03a01Wa.wav", EMODB, parse)
