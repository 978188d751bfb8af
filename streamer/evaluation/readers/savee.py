"""SAVEE (Haq and Jackson 2009, AVSP): four English men, 7 emotions, 480 sentences.

AudioData/DC/a01.wav, or the flat form DC_a01.wav: speaker (DC, JE, JK, KL), emotion (a, d, f, h,
n, sa, su), sentence. Both forms confirmed from public readers (Strong-AI-Lab/emotion,
datasets/SAVEE/process.py; robertjkeck2/EmoNet, data/SAVEE/README.md).
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import SAVEE
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_SPEAKERS: Final = ("DC", "JE", "JK", "KL")
_NAME: Final = re.compile(r"(?:(DC|JE|JK|KL)_)?(sa|su|[a-z])(\d\d)")


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("AudioData/DC/sa01.wav")) == parse(Path("DC_sa01.wav"))
    True
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker = match[1] or path.parent.name
    if speaker not in _SPEAKERS:
        return None
    return FileName(f"{speaker}_{match[2]}{match[3]}", speaker, match[2])


READER: Final = file_name_reader(
    "savee", "SAVEE", "AudioData/DC/a01.wav or DC_a01.wav", SAVEE, parse
)
