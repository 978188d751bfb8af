"""How many samples a second a device really delivers, against what it says."""

from collections import deque
from statistics import median
from typing import Final


class ClockRate:
    """The rate of a stream, measured against a clock, and whether it is another one than said.

    A window of `WINDOW_S` has a rate of its own. Late blocks and losses spoil single windows; a
    device that delivers 44,100 samples where it says 48,000 spoils all of them alike. So it is
    told by the median of the last `WINDOWS`, and only where all but one of them agree. Of the rates
    that devices have, the closest two differ by 4 %; sound cards stay within 0.01 % of theirs.

    is_doubtful: the last windows were wrong, and it is not decided yet why.

    Pure: times are passed in. One per opened stream.
    """

    WINDOW_S: Final = 2.0
    WINDOWS: Final = 5
    WRONG: Final = 0.03
    AGREE: Final = 0.01

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._start: tuple[float, int] | None = None
        self._rates_hz: deque[float] = deque(maxlen=self.WINDOWS)
        self._wrong_in_a_row = 0

    @property
    def is_doubtful(self) -> bool:
        return 0 < self._wrong_in_a_row <= self.WINDOWS

    def observe(self, now_s: float, arrived_samples: int) -> float | None:
        """`arrived_samples`: all that the device delivered up to `now_s`, both never decreasing.

        Returns the true rate in Hz where it is surely another one than said, else None.
        """
        if self._start is None:
            self._start = now_s, arrived_samples
            return None
        since_s, since = self._start
        if now_s - since_s < self.WINDOW_S:
            return None
        self._start = now_s, arrived_samples
        rate_hz = (arrived_samples - since) / (now_s - since_s)
        self._rates_hz.append(rate_hz)
        self._wrong_in_a_row = self._wrong_in_a_row + 1 if self._is_wrong(rate_hz) else 0
        if len(self._rates_hz) < self.WINDOWS:
            return None
        middle = median(self._rates_hz)
        near = sum(abs(rate - middle) <= self.AGREE * middle for rate in self._rates_hz)
        return middle if self._is_wrong(middle) and near >= self.WINDOWS - 1 else None

    def _is_wrong(self, rate_hz: float) -> bool:
        return abs(rate_hz / self._rate_hz - 1.0) > self.WRONG
