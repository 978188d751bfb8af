"""ShEMO (Mohamad Nezami et al. 2019, Language Resources and Evaluation 53): Persian radio plays.

female/F01A01.wav, male/M01A01.wav: sex and speaker, emotion (A, F, H, N, S, W for surprise),
utterance. Confirmed from the owners' description of labels (mansourehk/ShEMO, README) and
Strong-AI-Lab/emotion (datasets/ShEMO/process.py).
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import SHEMO
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_NAME: Final = re.compile(r"([FM]\d\d)([A-Z])\d\d")


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("female/F01A01.wav"))
    FileName(utterance='F01A01', speaker='F01', code='A')
    """
    match = _NAME.fullmatch(path.stem)
    return match and FileName(path.stem, match[1], match[2])


READER: Final = file_name_reader(
    "shemo", "ShEMO", "female/F01A01.wav and male/M01A01.wav", SHEMO, parse
)
