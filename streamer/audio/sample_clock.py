"""From positions in a live source to a clock of this computer, and back.

A sound card counts samples with a crystal of its own, and the computer learns of them late and
unevenly. A line through the arrivals gives both the rate between the two clocks and their offset.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.audio.sources.playback_mask import PLAYBACK
from streamer.types import Chunk, Gap

# One arrival a slot is kept: the earliest by the line so far, as delays only ever add.
SLOT_S: Final = 0.25
WINDOW_S: Final = 120.0
LEAST_S: Final = 1.0
# Over less than this, the jitter of arrivals says more about the slope than the crystals do.
SLOPE_FROM_S: Final = 30.0
# Crystals of sound cards are within 100 ppm; beyond this, something else is wrong.
MOST_DRIFT: Final = 500e-6


@dataclass(frozen=True, slots=True)
class ClockFit:
    """A line: monotonic_s = at_monotonic_s + rate * (source_s - at_source_s).

    Parameters
    ----------
    at_source_s : float
        Position in the source, in seconds from its start.
    at_monotonic_s : float
        When the sample at that position arrived, in seconds of `time.monotonic`.
    rate : float
        Seconds of the computer's clock a second of the source; 1 +- 5e-4.
    error_s : float
        The largest distance of an arrival from the line, in seconds.

    Examples
    --------
    >>> fit = ClockFit(10.0, 500.0, 1.0, 0.002)
    >>> fit.monotonic_s(12.5), fit.source_s(503.0)
    (502.5, 13.0)
    """

    at_source_s: float
    at_monotonic_s: float
    rate: float
    error_s: float

    def monotonic_s(self, source_s: float) -> float:
        """When a position of the source arrived."""
        return self.at_monotonic_s + self.rate * (source_s - self.at_source_s)

    def source_s(self, monotonic_s: float) -> float:
        """Which position of the source arrived at a time."""
        return self.at_source_s + (monotonic_s - self.at_monotonic_s) / self.rate


class SampleClock:
    """Follows a source, and fits a line to the arrival of its samples.

    Arrivals are late by the buffers of the audio system, never early. Of each quarter of a second
    the earliest one counts, over the last two minutes; the line is their least-squares fit. In its
    first half minute the slope is 1. What is lost on the way begins a new line.

    Attributes
    ----------
    position_s : float
        Up to where the source was heard, in seconds from its start.
    source : str
        Its name: a file, or the device.
    """

    def __init__(self) -> None:
        self.position_s = 0.0
        self.source = ""
        self._rate_hz = 0
        self._samples = 0
        self._arrivals: deque[tuple[float, float]] = deque()
        self._fit: ClockFit | None = None
        self._is_fitted = True

    def hear(self, item: Chunk | Gap) -> None:
        """Follow the source by one item."""
        if isinstance(item, Gap):
            self._samples += item.samples
            if item.reason != PLAYBACK:
                self._begin_line()
        else:
            if (item.source, item.rate_hz) != (self.source, self._rate_hz):
                self.source, self._rate_hz, self._samples = item.source, item.rate_hz, 0
                self._begin_line()
            if item.captured_s is not None and len(item.samples):
                self._arrive(self._samples / self._rate_hz, item.captured_s)
            self._samples += len(item.samples)
        if self._rate_hz:
            self.position_s = self._samples / self._rate_hz

    def fit(self) -> ClockFit | None:
        """The line; None where arrivals are unknown, or of less than a second."""
        if not self._is_fitted:
            self._fit = _fitted(self._arrivals)
            self._is_fitted = True
        return self._fit

    def _begin_line(self) -> None:
        self._arrivals.clear()
        self._fit = None
        self._is_fitted = True

    def _arrive(self, source_s: float, monotonic_s: float) -> None:
        latest = self._arrivals[-1] if self._arrivals else None
        if latest is not None and source_s // SLOT_S == latest[0] // SLOT_S:
            if monotonic_s - source_s >= latest[1] - latest[0]:
                return
            self._arrivals.pop()
        self._arrivals.append((source_s, monotonic_s))
        while source_s - self._arrivals[0][0] > WINDOW_S:
            self._arrivals.popleft()
        self._is_fitted = False


def _fitted(arrivals: deque[tuple[float, float]]) -> ClockFit | None:
    if not arrivals or arrivals[-1][0] - arrivals[0][0] < LEAST_S:
        return None
    source_s, monotonic_s = np.array(arrivals).T
    at_s = float(source_s.mean())
    lag_s = monotonic_s - source_s
    drift = 0.0
    if source_s[-1] - source_s[0] >= SLOPE_FROM_S:
        drift = float(np.polyfit(source_s - at_s, lag_s, 1)[0])
        drift = min(max(drift, -MOST_DRIFT), MOST_DRIFT)
    lag = float(lag_s.mean())
    error_s = float(np.abs(lag_s - lag - drift * (source_s - at_s)).max())
    return ClockFit(at_s, at_s + lag, 1.0 + drift, error_s)
