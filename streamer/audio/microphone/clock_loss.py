"""Samples that went missing without a word, found by counting against a clock."""

from typing import Final


class ClockLoss:
    """Tells a loss from a delay: a delay is caught up, a loss is not.

    lag = elapsed - arrived / rate. Late blocks raise the lag for a moment and a burst brings it
    down again, so only its minimum over a window of `WINDOW_S` counts. A minimum that stays
    `LOSS_S` above the baseline for two windows running is a loss; the baseline then moves up by
    it. Slower changes are the two clocks drifting apart: the baseline follows them, by at most
    `DRIFT` seconds a second (500 ppm; sound cards stay within 100).

    Pure: times are passed in. One per opened stream, as the first window sets the baseline.
    """

    WINDOW_S: Final = 2.0
    LOSS_S: Final = 0.1
    DRIFT: Final = 500e-6

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._start: tuple[float, int] | None = None
        self._window_end_s = 0.0
        self._window_lag_s: float | None = None
        self._baseline_s: float | None = None
        self._suspected_s = 0.0

    def observe(self, now_s: float, arrived_samples: int) -> int:
        """`arrived_samples`: all that the device delivered up to `now_s`, both never decreasing.

        Returns the samples lost since the last loss, at least 0; mostly 0.
        """
        if self._start is None:
            self._start = (now_s, arrived_samples)
            self._window_end_s = now_s + self.WINDOW_S
        start_s, start_samples = self._start
        lag_s = (now_s - start_s) - (arrived_samples - start_samples) / self._rate_hz
        lost = 0
        if now_s >= self._window_end_s:
            if self._window_lag_s is not None:
                lost = self._close_window(self._window_lag_s)
            self._window_end_s = now_s + self.WINDOW_S
            self._window_lag_s = None
        if self._window_lag_s is None or lag_s < self._window_lag_s:
            self._window_lag_s = lag_s
        return lost

    def _close_window(self, lag_s: float) -> int:
        if self._baseline_s is None or lag_s < self._baseline_s:
            self._baseline_s = lag_s
            self._suspected_s = 0.0
            return 0
        rise_s = lag_s - self._baseline_s
        if rise_s <= self.LOSS_S:
            self._suspected_s = 0.0
            self._baseline_s += min(rise_s, self.DRIFT * self.WINDOW_S)
            return 0
        if not self._suspected_s:
            self._suspected_s = rise_s
            return 0
        lost_s = min(self._suspected_s, rise_s)
        self._baseline_s += lost_s
        self._suspected_s = 0.0
        return round(lost_s * self._rate_hz)
