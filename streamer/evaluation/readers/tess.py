"""TESS (Pichora-Fuller and Dupuis 2020, Borealis): two actresses, 7 emotions, 200 words.

SPEAKER_word_emotion.wav, with ps for a pleasant surprise; confirmed from the owner's listing
(doi.org/10.5683/SP2/E8H2MF). Its oldest archive puts a number and "test" before the speaker and a
number after the emotion (0testYAF_gaze_ps39.wav), and some names have lost the F of OAF.
"""

import re
from pathlib import Path
from typing import Final

from streamer.evaluation.emotions import TESS
from streamer.evaluation.readers.file_names import FileName, file_name_reader

_NAME: Final = re.compile(r"(?:\d+test)?(OA|YA)F?_([a-z]+)_([a-z]+)\d*", re.IGNORECASE)


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("0testYAF_gaze_ps39.wav"))
    FileName(utterance='YAF_gaze_ps', speaker='YAF', code='ps')
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    speaker, word, code = f"{match[1].upper()}F", match[2].lower(), match[3].lower()
    return FileName(f"{speaker}_{word}_{code}", speaker, code)


READER: Final = file_name_reader("tess", "TESS", "OAF_angry/OAF_back_angry.wav", TESS, parse)
