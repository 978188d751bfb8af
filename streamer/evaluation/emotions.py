"""The emotion labels of corpora, and Streamer's common names for them.

The common names are adjectives, those of `streamer.learners.affective_norms` first; other
categories of a corpus keep their own name. Codes for "other" or "no agreement" have no common name:
such a clip keeps its ratings and its original code.
"""

from collections.abc import Mapping
from typing import Final

COMMON: Final = (
    "angry", "happy", "sad", "disgusted", "fearful", "surprised", "frustrated", "neutral",
    "calm", "excited", "bored", "contempt", "amused", "sleepy",
)  # fmt: skip

# Words and short forms that mean the same in every corpus that uses them.
_WORDS: Final[Mapping[str, str]] = {
    **{name: name for name in COMMON},
    "ang": "angry", "anger": "angry",
    "hap": "happy", "happiness": "happy", "joy": "happy", "joyful": "happy",
    "sadness": "sad",
    "dis": "disgusted", "disgust": "disgusted",
    "fea": "fearful", "fear": "fearful", "afraid": "fearful",
    "sur": "surprised", "surprise": "surprised", "pleasant surprise": "surprised",
    "fru": "frustrated", "frustration": "frustrated",
    "neu": "neutral", "neutral state": "neutral",
    "calmness": "calm",
    "exc": "excited", "excitement": "excited",
    "boredom": "bored",
    "contemptuous": "contempt",
    "amusement": "amused",
    "sleepiness": "sleepy",
}  # fmt: skip

IEMOCAP: Final[Mapping[str, str | None]] = {
    "ang": "angry", "hap": "happy", "sad": "sad", "neu": "neutral", "exc": "excited",
    "fru": "frustrated", "fea": "fearful", "sur": "surprised", "dis": "disgusted",
    "oth": None, "xxx": None,
}  # fmt: skip
MSP: Final[Mapping[str, str | None]] = {
    "A": "angry", "H": "happy", "S": "sad", "N": "neutral", "U": "surprised", "F": "fearful",
    "D": "disgusted", "C": "contempt", "O": None, "X": None,
}  # fmt: skip
RAVDESS: Final[Mapping[str, str | None]] = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fearful",
    "07": "disgusted", "08": "surprised",
}  # fmt: skip
CREMA_D: Final[Mapping[str, str | None]] = {
    "ANG": "angry", "DIS": "disgusted", "FEA": "fearful", "HAP": "happy", "NEU": "neutral",
    "SAD": "sad",
}  # fmt: skip
CREMA_D_VOTES: Final[Mapping[str, str]] = {
    "A": "angry", "D": "disgusted", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad",
}  # fmt: skip
# After the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer.
EMODB: Final[Mapping[str, str | None]] = {
    "W": "angry", "L": "bored", "E": "disgusted", "A": "fearful", "F": "happy", "T": "sad",
    "N": "neutral",
}  # fmt: skip
SAVEE: Final[Mapping[str, str | None]] = {
    "a": "angry", "d": "disgusted", "f": "fearful", "h": "happy", "n": "neutral", "sa": "sad",
    "su": "surprised",
}  # fmt: skip
TESS: Final[Mapping[str, str | None]] = {
    "angry": "angry", "disgust": "disgusted", "fear": "fearful", "happy": "happy",
    "neutral": "neutral", "ps": "surprised", "sad": "sad",
}  # fmt: skip
ENTERFACE: Final[Mapping[str, str | None]] = {
    "an": "angry", "di": "disgusted", "fe": "fearful", "ha": "happy", "sa": "sad",
    "su": "surprised",
}  # fmt: skip
EMOV_DB: Final[Mapping[str, str | None]] = {
    "amused": "amused", "anger": "angry", "angry": "angry", "disgust": "disgusted",
    "disgusted": "disgusted", "neutral": "neutral", "sleepiness": "sleepy", "sleepy": "sleepy",
}  # fmt: skip
SHEMO: Final[Mapping[str, str | None]] = {
    "A": "angry", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad", "W": "surprised",
}  # fmt: skip


def common_emotion(word: str) -> str | None:
    """The common name of an English word or short form; None if there is none.

    >>> common_emotion("Anger"), common_emotion("fru"), common_emotion("xxx")
    ('angry', 'frustrated', None)
    """
    return _WORDS.get(word.strip().lower())
