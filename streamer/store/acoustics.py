"""Acoustic measures of utterances, by which it is said how one differs from the usual."""

import math
from collections.abc import Mapping
from typing import Final

from streamer.learners.explanation import NAMES, Usual
from streamer.store.database import Database

_MOMENTS: Final = ", ".join(
    f"count({name}) AS n_{name}, avg({name}) AS m_{name}, avg({name} * {name}) AS s_{name}"
    for name in NAMES
)


class Acoustics:
    """Rows of measures. What is usual is computed from them, so it is exact after `forget`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, utterance: int, values: Mapping[str, float]) -> None:
        """The measures of an utterance, in place of earlier ones; nothing where it is forgotten.

        values: by name; NaN, or missing, where it has none.
        """
        finite = [
            value if (value := values.get(name)) is not None and math.isfinite(value) else None
            for name in NAMES
        ]
        places = ", ".join("?" * len(NAMES))
        self._database.write(
            f"""INSERT OR REPLACE INTO acoustics (utterance, {", ".join(NAMES)})
                SELECT id, {places} FROM utterances WHERE id = ?""",
            *finite,
            utterance,
        )

    def of(self, utterance: int) -> dict[str, float | None] | None:
        """Its measures by name; None where it was not measured."""
        row = self._database.row("SELECT * FROM acoustics WHERE utterance = ?", utterance)
        return None if row is None else {name: row[name] for name in NAMES}

    def all(self) -> dict[int, dict[str, float | None]]:
        """Of every measured utterance, in order."""
        rows = self._database.rows("SELECT * FROM acoustics ORDER BY utterance")
        return {row["utterance"]: {name: row[name] for name in NAMES} for row in rows}

    def usual(self) -> dict[str, Usual]:
        """Mean and deviation of each measure over all measured utterances."""
        row = self._database.row(f"SELECT {_MOMENTS} FROM acoustics")
        found = {}
        for name in NAMES:
            if row is not None and row[f"n_{name}"]:
                mean = row[f"m_{name}"]
                variance = max(row[f"s_{name}"] - mean * mean, 0.0)
                found[name] = Usual(mean, math.sqrt(variance), row[f"n_{name}"])
        return found
