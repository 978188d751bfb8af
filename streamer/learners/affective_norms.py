"""Affective norms: named emotions in the valence-arousal-dominance space.

The affective norms of eight emotions on [0, 1] (NRC VAD lexicon, as printed in the CTIAL paper,
table 1), given here on [-1, 1] as everywhere in Streamer.
"""

from typing import Final

_TABLE: Final = {
    "angry": (0.122, 0.830, 0.604),
    "happy": (1.000, 0.735, 0.772),
    "sad": (0.225, 0.333, 0.149),
    "disgusted": (0.051, 0.773, 0.274),
    "fearful": (0.083, 0.482, 0.278),
    "surprised": (0.784, 0.855, 0.539),
    "frustrated": (0.080, 0.651, 0.255),
    "neutral": (0.469, 0.184, 0.357),
}
NAMES: Final = tuple(_TABLE)
_OTHER_NAMES: Final = {
    "anger": "angry",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "disgust": "disgusted",
    "fear": "fearful",
    "surprise": "surprised",
    "frustration": "frustrated",
}


def common_name(emotion: str) -> str:
    """The common name of an emotion with several names; other names are returned unchanged.

    >>> common_name(" Anger "), common_name("angry"), common_name("glee")
    ('angry', 'angry', 'glee')
    """
    name = emotion.strip().lower()
    return _OTHER_NAMES.get(name, name)


def affective_norm(emotion: str) -> tuple[float, float, float] | None:
    """Valence, arousal and dominance of an emotion in [-1, 1], or None where none is known.

    >>> [round(value, 3) for value in affective_norm("anger")]
    [-0.756, 0.66, 0.208]
    """
    row = _TABLE.get(common_name(emotion))
    if row is None:
        return None
    valence, arousal, dominance = (2.0 * value - 1.0 for value in row)
    return valence, arousal, dominance
