"""The scales that corpora are rated on, and the one conversion of each to [-1, 1].

A rating is kept on its original scale. `Scale.to_unit` is the only place where it becomes a point
in Streamer's space (negative..positive, calm..excited, submissive..dominant).

Sources: IEMOCAP, 1 to 5 (Busso et al. 2008, Language Resources and Evaluation 42). MSP-Podcast, 1
to 7 (Lotfian and Busso 2019, IEEE TAC 10). MSP-IMPROV, 1 to 5, its activation from excited (1) to
calm (5) (Busso et al. 2017, IEEE TAC 8). VAM, -1 to 1 (Grimm, Kroschel and Narayanan 2008, ICME).
SEMAINE and AVEC 2012, FeelTrace from -1 to 1 (McKeown et al. 2012, IEEE TAC 3).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from streamer.errors import CorpusError

# Means that were rounded when they were printed may lie this much beyond an end.
_ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Rating:
    """Valence, arousal and dominance on one scale; None where not rated."""

    valence: float | None = None
    arousal: float | None = None
    dominance: float | None = None

    def __iter__(self) -> Iterator[float | None]:
        yield from (self.valence, self.arousal, self.dominance)


UNRATED: Final = Rating()


@dataclass(frozen=True, slots=True)
class Scale:
    """A corpus's scale: its two ends, and whether arousal runs from excited down to calm.

    >>> Scale("1 to 5", 1, 5).to_unit(Rating(1.0, 3.0, 4.0))
    Rating(valence=-1.0, arousal=0.0, dominance=0.5)
    """

    name: str
    low: float
    high: float
    arousal_falls: bool = False

    def to_unit(self, rating: Rating) -> Rating:
        """The rating in [-1, 1]. Raises CorpusError for a value that is not on the scale."""
        arousal = self._to_unit(rating.arousal)
        if arousal is not None and self.arousal_falls:
            arousal = 0.0 - arousal
        return Rating(self._to_unit(rating.valence), arousal, self._to_unit(rating.dominance))

    def holds(self, rating: Rating) -> bool:
        """Whether every value that is there is on the scale."""
        return all(value is None or self._is_on(value) for value in rating)

    def clamp(self, rating: Rating) -> Rating:
        """The rating, clipped to the scale."""
        values = (None if v is None else min(self.high, max(self.low, v)) for v in rating)
        return Rating(*values)

    def _is_on(self, value: float) -> bool:
        return self.low - _ROUNDING <= value <= self.high + _ROUNDING

    def _to_unit(self, value: float | None) -> float | None:
        if value is None:
            return None
        if not self._is_on(value):
            raise CorpusError(
                f"a rating of {value:g} is not on the scale {self.name}; "
                "correct the label file, or state its scale"
            )
        unit = (2.0 * value - (self.low + self.high)) / (self.high - self.low)
        return min(1.0, max(-1.0, unit))


ONE_TO_FIVE: Final = Scale("1 to 5", 1.0, 5.0)
MSP_IMPROV: Final = Scale("1 to 5, arousal falling", 1.0, 5.0, arousal_falls=True)
ONE_TO_SEVEN: Final = Scale("1 to 7", 1.0, 7.0)
UNIT: Final = Scale("-1 to 1", -1.0, 1.0)


def scale_of(low: float, high: float) -> Scale:
    """The scale from low to high. Raises CorpusError unless low < high, both finite."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise CorpusError(f"a scale from {low:g} to {high:g} has no range: give LOW:HIGH")
    return Scale(f"{low:g} to {high:g}", low, high)


def mean_rating(ratings: list[Rating]) -> Rating:
    """The mean of each dimension over those who rated it; None where there is none."""
    return Rating(
        _mean(ratings, lambda rating: rating.valence),
        _mean(ratings, lambda rating: rating.arousal),
        _mean(ratings, lambda rating: rating.dominance),
    )


def _mean(ratings: list[Rating], take: Callable[[Rating], float | None]) -> float | None:
    values = [value for rating in ratings if (value := take(rating)) is not None]
    return sum(values) / len(values) if values else None
