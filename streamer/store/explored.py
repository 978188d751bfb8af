"""The questions that were drawn at random, as a sample of all that is heard."""

from streamer.store.database import Database


class Explored:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def propensities(self) -> dict[int, float]:
        """Of every utterance whose question was drawn at random: with what probability, in (0, 1].

        Answered or not; those from before there was any such draw are not among them.
        """
        rows = self._database.rows(
            "SELECT utterance, propensity FROM queries WHERE explored AND propensity > 0"
        )
        return {row["utterance"]: row["propensity"] for row in rows}
