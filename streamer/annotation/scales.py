"""Rating scales, and the one scale on which a file of labels is stored.

-1:1                              as everything inside
1:5, 1:9, 0:100                   from the least to the most
9:1                               reversed: 1 is the most
sam                               the self-assessment manikin's nine pictures, 1:9
valence=1:9,arousal=9:1           each dimension its own
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streamer.errors import UsageError
from streamer.learners.answers import checked_scale
from streamer.store.labels import UNIT
from streamer.types import DIMENSIONS

NAMED: Final = {"sam": (1.0, 9.0), "sam-reversed": (9.0, 1.0)}
_COMMON: Final = ((1, 5), (1, 7), (1, 9), (0, 10), (0, 100), (-3, 3), (-4, 4), (-100, 100))
_RANGE: Final = re.compile(r"([+-]?[\d.]+)\s*(?::|-|\.\.)\s*([+-]?[\d.]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scales:
    """ends: (least, most) of each dimension as given; reversed where the first is larger.

    A label is kept on one scale, `kept` (low, high): that of valence, upright. A dimension on
    the same scale, upright or reversed, keeps its numbers, or their mirror images; one on another
    is moved over linearly.
    """

    ends: Mapping[str, tuple[float, float]]

    @classmethod
    def usual(cls) -> "Scales":
        return cls(dict.fromkeys(DIMENSIONS, UNIT))

    @classmethod
    def parse(cls, text: str | None) -> "Scales":
        """Parse `--scale`; [-1, 1] for None. Raises UsageError.

        >>> Scales.parse("valence=1:9,arousal=9:1").ends["arousal"]
        (9.0, 1.0)
        """
        if text is None:
            return cls.usual()
        if "=" not in text:
            return cls(dict.fromkeys(DIMENSIONS, _ends(text, text)))
        ends: dict[str, tuple[float, float]] = {}
        for part in text.split(","):
            name, _, scale = (piece.strip() for piece in part.partition("="))
            if name not in DIMENSIONS or name in ends:
                raise _wrong(text)
            ends[name] = _ends(scale, text)
        if not {"valence", "arousal"} <= ends.keys():
            raise _wrong(text)
        return cls({"dominance": ends["valence"], **ends})

    @property
    def kept(self) -> tuple[float, float]:
        low, high = sorted(self.ends["valence"])
        return low, high

    def all_to_kept(
        self, valence: float | None, arousal: float | None, dominance: float | None
    ) -> tuple[float | None, float | None, float | None]:
        """As `to_kept`, of all three."""
        return (
            self.to_kept("valence", valence),
            self.to_kept("arousal", arousal),
            self.to_kept("dominance", dominance),
        )

    def to_kept(self, dimension: str, value: float | None) -> float | None:
        """A value as given, on `kept`.

        >>> Scales.parse("9:1").to_kept("valence", 2.0)
        8.0
        """
        if value is None:
            return None
        least, most = self.ends[dimension]
        low, high = self.kept
        if (least, most) == (low, high):
            return value
        if (most, least) == (low, high):
            return low + high - value
        return low + (value - least) / (most - least) * (high - low)


def read_scale(text: str) -> tuple[float, float]:
    """LOW:HIGH in numbers, upright. Raises UsageError."""
    return checked_scale(_ends(text, text))


def suggested(lowest: float, highest: float) -> list[str]:
    """Common scales that hold values from `lowest` to `highest`.

    >>> suggested(1, 6)
    ['1:7', '1:9', '0:10', '0:100', '-100:100']
    """
    fitting = [f"{low}:{high}" for low, high in _COMMON if low <= lowest and highest <= high]
    return fitting or [f"{lowest:g}:{highest:g}"]


def _ends(scale: str, text: str) -> tuple[float, float]:
    named = NAMED.get(scale.strip().lower())
    if named is not None:
        return named
    found = _RANGE.fullmatch(scale.strip())
    try:
        first, second = (float(part) for part in (found.groups() if found else ()))
    except ValueError:
        raise _wrong(text) from None
    checked_scale((min(first, second), max(first, second)))
    return first, second


def _wrong(text: str) -> UsageError:
    return UsageError(
        f"scale {text!r}: give LEAST:MOST, for example 1:5, 9:1 where 1 is the most, sam, or "
        "valence=1:9,arousal=9:1"
    )
