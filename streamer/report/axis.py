"""An axis of a drawing: where a value lies, and which round numbers to mark."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """low < high in the unit of what is drawn, from pixel `start` to pixel `end`.

    >>> Axis(-1.0, 1.0, 100.0, 0.0)(0.5)
    25.0
    >>> Axis(0.0, 1.0, 0.0, 100.0).ticks()
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """About five round numbers within it."""
        rough = (self.high - self.low) / 5.0
        size = 10.0 ** math.floor(math.log10(rough))
        step = min((1.0, 2.0, 2.5, 5.0, 10.0), key=lambda times: abs(times * size - rough)) * size
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) for number in range(first, last + 1)]
