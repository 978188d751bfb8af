"""When somebody last looked at a question, told to the processes that show predictions."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

SIGN_NAME: Final = "labelling"
# A person who has not asked for a question for so long is no longer labelling.
FRESH_S: Final = 600.0
_RENEWED_S: Final = 30.0


class LabellingSign:
    """An empty file of the profile: its time of change is when somebody last saw a question.

    wall_s: seconds since 1970.
    """

    def __init__(self, folder: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._path = folder / SIGN_NAME
        self._wall_s = wall_s

    def give(self) -> None:
        """Somebody looks at a question now. Without room for the file, nobody is told: no error."""
        if self._age_s() < _RENEWED_S:
            return
        with suppress(OSError):
            self._path.touch(mode=0o600)

    def is_fresh(self) -> bool:
        """Whether somebody labels: they saw a question within `FRESH_S` seconds."""
        return self._age_s() < FRESH_S

    def _age_s(self) -> float:
        try:
            return abs(self._wall_s() - self._path.stat().st_mtime)
        except OSError:
            return float("inf")
