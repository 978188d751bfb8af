"""Flat tops: speech that was cut off at a ceiling, at full scale or below it.

A microphone, its amplifier or a program before this one may clip far below full scale; what comes
after it (a filter, another rate, an offset that is removed) rounds the tops. So they are looked for
in the samples as the source delivers them.
"""

from collections import deque
from itertools import product
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

# Silence on an offset is flat too: a ceiling lies at the peaks, where one click does not count.
AT_THE_PEAKS: Final = 0.9
# Samples are looked at by blocks, and of a block only those near its peak.
BLOCK_S: Final = 0.25
NEAR_PEAK: Final = 0.98

Ints = NDArray[np.int64]
Flat = tuple[Ints, Ints, Samples]


class ClippingMeter:
    """Follows one timeline of a source; tells how much of a span of it was clipped.

    What it finds does not depend on how the timeline was cut into chunks.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._steps = max(FEWEST_STEPS, round(rate_hz * FLAT_S))
        self._block_samples = max(1, round(rate_hz * BLOCK_S))
        self._memory_samples = rate_hz * MEMORY_S
        self._held = [np.zeros((0, channels), np.float32)]
        self._held_samples = 0
        self._first = 0  # the position of the first sample held
        self._found: deque[Flat] = deque()
        self._peaks: deque[tuple[int, Samples]] = deque()  # of each block, [channels, 2 signs]

    def push(self, samples: Samples) -> None:
        """samples: float32 [n, channels], as the source delivers them."""
        self._held.append(samples)
        self._held_samples += len(samples)
        if self._held_samples < self._block_samples + self._steps:
            return
        held = np.concatenate(self._held)
        while len(held) >= self._block_samples + self._steps:
            block = held[: self._block_samples + self._steps]
            peaks = _peaks(block)
            self._peaks.append((self._first, peaks))
            self._found.extend(self._flat(block, peaks))
            self._first += self._block_samples
            held = held[self._block_samples :]
        self._held, self._held_samples = [held.copy()], len(held)
        while self._found and self._found[0][0][-1] < self._first - self._memory_samples:
            self._found.popleft()
        while self._peaks and self._peaks[0][0] < self._first - self._memory_samples:
            self._peaks.popleft()

    def part(self, start: int, end: int, channels: set[int]) -> float:
        """The part of the source's samples [start, end) that is clipped, in [0, 1].

        channels: those that are heard, counted from 0; the worst of them counts.
        """
        flat, blocks = [*self._found], [*self._peaks]
        if self._held_samples > self._steps and self._first < end:
            held = np.concatenate(self._held)
            last = _peaks(held)
            blocks.append((self._first, last))
            flat += self._flat(held, last)
        found = [one for one in flat if one[0][-1] >= start and one[0][0] < end]
        if not found or end <= start:
            return 0.0
        reach = start - self._block_samples
        peaks = np.stack([peak for first, peak in blocks if reach < first < end])
        usual = np.sort(peaks, axis=0)[max(0, len(peaks) - 2)]
        at, columns, levels = (np.concatenate(parts) for parts in zip(*found, strict=True))
        within = (at >= start) & (at < end)
        clipped = 0
        for channel in channels:
            for place, sign in enumerate((1, -1)):
                one = within & (columns == channel)
                one &= levels * sign >= AT_THE_PEAKS * usual[channel, place]
                clipped = max(clipped, _at_the_ceiling(at[one], np.abs(levels[one])))
        return clipped / (end - start)

    def _flat(self, block: Samples, peaks: Samples) -> list[Flat]:
        """Where flat tops are among all but the last samples of a block: position, channel, level.

        The first and the last sample of a top are compared, then those between.
        """
        found: list[Flat] = []
        for channel, (place, sign) in product(range(block.shape[1]), enumerate((1, -1))):
            peak = float(peaks[channel, place])
            if peak <= LEAST_CEILING:
                continue
            one = block[:, channel]
            least = np.float32(NEAR_PEAK * peak)
            starts = one[: -self._steps]
            rows = np.flatnonzero(starts >= least if sign > 0 else starts <= -least)
            if len(rows) < FEWEST_STEPS:
                continue
            for step in (self._steps, *range(1, self._steps)):
                level = one[rows]
                rows = rows[np.abs(one[rows + step] - level) <= TOLERANCE * np.abs(level)]
            if len(rows):
                found.append((self._first + rows, np.full(len(rows), channel), one[rows]))
        return found


def _peaks(block: Samples) -> Samples:
    """float32 [channels, 2]: of the samples above 0, and of those below."""
    sizes = np.stack((block.max(axis=0), -block.min(axis=0)), axis=1)
    return np.asarray(sizes.clip(LEAST_CEILING), np.float32)


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
