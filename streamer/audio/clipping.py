"""Flat tops: speech that was cut off at a ceiling, at full scale or below it.

A microphone, its amplifier or a program before this one may clip far below full scale; what comes
after it (a filter, another rate, an offset that is removed) rounds the tops. So they are looked for
in the samples as the source delivers them.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import Samples

# A top is flat where it stays within TOLERANCE of its level for FLAT_S. Without clipping, the
# rounded top of a 100 Hz tone falls by 8e-4 in that time.
FLAT_S: Final = 125e-6
TOLERANCE: Final = 1e-4
FEWEST_STEPS: Final = 2
# Below it (-26 dBFS), the steps of 16 bits are larger than the tolerance.
LEAST_CEILING: Final = 0.05
# Tops of one ceiling, in an utterance; and their part of all flat tops, as the coarse steps of
# telephones (G.711) flatten tops of every level.
FEWEST_TOPS: Final = 3
FEWEST_SAMPLES: Final = 6
ONE_CEILING: Final = 0.6
SAME_LEVEL: Final = 2e-3
MEMORY_S: Final = 120.0

Ints = NDArray[np.int64]


class ClippingMeter:
    """Follows one timeline of a source; tells how much of a span of it was clipped.

    Two samples a step: the first and the last of a flat top are compared, then those between. What
    it finds does not depend on how the timeline was cut into chunks.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._steps = max(FEWEST_STEPS, round(rate_hz * FLAT_S))
        self._tail = np.zeros((0, channels), np.float32)
        self._next = 0  # the position of the tail's first sample
        self._found: deque[tuple[Ints, Ints, Samples]] = deque()

    def push(self, samples: Samples) -> None:
        """samples: float32 [n, channels], as the source delivers them."""
        if not len(samples):
            return
        joined = np.concatenate((self._tail, samples))
        count = max(0, len(joined) - self._steps)
        self._tail = joined[count:].copy()
        at, self._next = self._next, self._next + count
        if not count or np.abs(samples).max() < LEAST_CEILING:
            return
        first, last = joined[:count], joined[self._steps :]
        flat = np.abs(last - first) <= TOLERANCE * np.abs(first)
        flat &= np.abs(first) >= LEAST_CEILING
        rows, columns = np.nonzero(flat)
        for step in range(1, self._steps):
            if not len(rows):
                return
            level, between = joined[rows, columns], joined[rows + step, columns]
            kept = np.abs(between - level) <= TOLERANCE * np.abs(level)
            rows, columns = rows[kept], columns[kept]
        if len(rows):
            self._found.append((at + rows, columns, joined[rows, columns]))
        while self._found and self._found[0][0][-1] < at - MEMORY_S * self._rate_hz:
            self._found.popleft()

    def part(self, start: int, end: int, channels: "set[int]") -> float:
        """The part of the source's samples [start, end) that is clipped, in [0, 1].

        channels: those that are heard, counted from 0; the worst of them counts.
        """
        found = [one for one in self._found if one[0][-1] >= start and one[0][0] < end]
        if not found or end <= start:
            return 0.0
        at, columns, levels = (np.concatenate(parts) for parts in zip(*found, strict=True))
        within = (at >= start) & (at < end)
        clipped = 0
        for channel in channels:
            for sign in (1, -1):
                one = within & (columns == channel) & (levels * sign > 0)
                clipped = max(clipped, _at_the_ceiling(at[one], np.abs(levels[one])))
        return clipped / (end - start)


def _at_the_ceiling(at: Ints, levels: Samples) -> int:
    """How many of the flat samples, in order, lie at one ceiling; 0 where there is none."""
    if len(at) < FEWEST_SAMPLES:
        return 0
    ceiling = float(np.median(levels))
    there = np.abs(levels - ceiling) <= SAME_LEVEL * ceiling
    tops = 1 + int(np.count_nonzero(np.diff(at[there]) > 1))
    enough = tops >= FEWEST_TOPS and np.count_nonzero(there) >= max(
        FEWEST_SAMPLES, ONE_CEILING * len(at)
    )
    return int(np.count_nonzero(there)) if enough else 0
