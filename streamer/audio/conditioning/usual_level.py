"""A voice far louder or quieter than a profile knows it: the microphone was set differently."""

from collections import deque
from statistics import median
from typing import Final

MEMORY_UTTERANCES: Final = 9
# Moods change the level of a voice by some 10 dB over a session, single utterances by 20.
SURE_UTTERANCES: Final = 3
FAR_DB: Final = 15.0
FAR_EARLY_DB: Final = 24.0
NEAR_DB: Final = 7.0
MOST_GAIN_DB: Final = 70.0


class UsualLevel:
    """What brings the utterances of a session back to the level at which a voice was learned.

    The median of a session's last levels is compared with the usual one. A difference within 15 dB
    may be the speaker's, and is left alone: a guess of arousal rests on it. Beyond, it is that of a
    microphone, and all of it is taken back, until the session is within 7 dB again.

    Parameters
    ----------
    usual_dbfs
        RMS level of the profile's utterances as they were encoded, in dBFS; None where too few
        were heard: then nothing is changed.
    """

    def __init__(self, usual_dbfs: float | None) -> None:
        self._usual_dbfs = usual_dbfs
        self._levels: deque[float] = deque(maxlen=MEMORY_UTTERANCES)
        self._on = False

    def gain_db(self, level_dbfs: float) -> float:
        """What the next utterance, of this RMS level in dBFS, is to be raised by; mostly 0."""
        if self._usual_dbfs is None:
            return 0.0
        self._levels.append(level_dbfs)
        difference_db = self._usual_dbfs - median(self._levels)
        far_db = FAR_DB if len(self._levels) >= SURE_UTTERANCES else FAR_EARLY_DB
        self._on = abs(difference_db) > (NEAR_DB if self._on else far_db)
        return min(difference_db, MOST_GAIN_DB) if self._on else 0.0

    def reset(self) -> None:
        """Another file or device."""
        self._levels.clear()
        self._on = False
