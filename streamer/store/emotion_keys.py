"""The key of each emotion, kept with the profile: once shown, it never moves."""

from collections.abc import Iterable
from typing import Final

from streamer.store.database import Database

# Digits, then the letters that are no command of the label page or of the terminal.
KEYS: Final = "123456789abcefghijklmnprtuvwy"


class EmotionKeys:
    """The emotions that were offered for an answer, in the order in which they first were.

    A place is never given again, also when its emotion is forgotten.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, emotions: Iterable[str]) -> None:
        """Give each of the emotions that has no place yet the next one."""
        known = self.keys()
        new = [name for name in dict.fromkeys(emotions) if name not in known]
        if not new:
            return
        with self._database.transaction():
            for name in new:
                self._database.write(
                    "INSERT OR IGNORE INTO emotion_keys (emotion) VALUES (?)", name
                )

    def keys(self) -> dict[str, str | None]:
        """The key of each emotion, in the order of the places; None where all keys are taken."""
        rows = self._database.rows("SELECT place, emotion FROM emotion_keys ORDER BY place")
        return {
            row["emotion"]: KEYS[row["place"] - 1] if row["place"] <= len(KEYS) else None
            for row in rows
        }
