"""From several channels to one: their mean, as long as none of them spoils it.

Measured for each channel: the level of its loudest and of its quietest frames (their distance is
its SNR), and the correlation of the channels while somebody speaks. A channel is left out that is
dead, that is much noisier than the best one (hiss, hum), or that is another one in opposite phase,
at whatever gain: the mean would cancel the voice. Healthy channels are mixed as they are.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.types import Matrix, Samples, Vector

BLOCKS_PER_SECOND: Final = 4
FRAMES_PER_BLOCK: Final = 12
MEMORY_BLOCKS: Final = 80
# Levels are those of 0 to 2 kHz, where voices are.
ANALYSIS_HZ: Final = 4_000
QUIETEST_PART: Final = 0.1
LOUDEST_PART: Final = 0.95
SPEECH_DB: Final = 8.0
DEAD_BELOW_BEST_DB: Final = 30.0
DEAD_DBFS: Final = -85.0
NOISIER_DB: Final = 10.0
OPPOSITE: Final = -0.6
SAME: Final = 0.9
_TINY: Final = 1e-12


class ChannelMixer:
    """One timeline, float32 [n, channels] in, [n, 1] out.

    Blocks of a quarter of a second are held back until they are whole, and mixed by what is known
    with them, so that the first word of a recording is heard right; the bits do not depend on how
    the timeline was cut.

    faults: what is wrong with a channel, by its number from 1; empty where all are mixed.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._block_samples = max(FRAMES_PER_BLOCK, rate_hz // BLOCKS_PER_SECOND)
        self._decimation = max(1, rate_hz // ANALYSIS_HZ)
        self._held = np.zeros((0, channels), np.float32)
        self._frames: deque[Matrix] = deque(maxlen=MEMORY_BLOCKS)
        self._products = np.zeros((channels, channels))
        self._weights = np.full(channels, 1.0 / channels, np.float32)
        self._began = False
        self.faults: dict[int, str] = {}

    def push(self, samples: Samples) -> Samples:
        held = np.concatenate((self._held, samples))
        whole = len(held) // self._block_samples * self._block_samples
        self._held = held[whole:]
        blocks = held[:whole].reshape(-1, self._block_samples, self._channels)
        return _joined([self._mix(block) for block in blocks])

    def finish(self) -> Samples:
        """What is still held back. Nothing may be pushed after it."""
        rest, self._held = self._held, self._held[:0]
        return _joined([self._mix(rest)] if len(rest) else [])

    def _mix(self, block: Samples) -> Samples:
        self._observe(block)
        before, self._weights = self._weights, self._choose()
        if not self._began:
            self._began, before = True, self._weights
        if len(set(self._weights.tolist())) == 1 and np.array_equal(before, self._weights):
            return _mean(block)
        steps = np.linspace(0, 1, len(block), dtype=np.float32)[:, np.newaxis]
        weights = before + (self._weights - before) * steps
        return np.asarray((block * weights).sum(axis=1, keepdims=True), np.float32)

    def _observe(self, block: Samples) -> None:
        whole = len(block) // self._decimation * self._decimation
        low = block[:whole].reshape(-1, self._decimation, self._channels).mean(axis=1)
        frame = max(1, len(low) // FRAMES_PER_BLOCK)
        frames = low[: len(low) // frame * frame].reshape(-1, frame, self._channels)
        if not frames.size:
            return
        frames = frames.astype(np.float64) - frames.mean(axis=1, keepdims=True, dtype=np.float64)
        powers = np.einsum("fsc,fsc->fc", frames, frames) / frame
        self._frames.append(10.0 * np.log10(powers + _TINY))
        quiet_db, _ = self._levels()
        loud = (self._frames[-1] > quiet_db + SPEECH_DB).all(axis=1)
        # In the first block everything may be speech.
        spoken = frames[loud] if len(self._frames) > 1 else frames
        self._products = 0.98 * self._products + np.einsum("fsc,fsd->cd", spoken, spoken)

    def _levels(self) -> tuple[Vector, Vector]:
        """Of each channel's quietest and loudest frames, in dBFS."""
        frames = np.sort(np.concatenate(self._frames), axis=0)
        last = len(frames) - 1
        return frames[int(QUIETEST_PART * last)], frames[int(LOUDEST_PART * last)]

    def _choose(self) -> NDArray[np.float32]:
        """The weight of each channel, of sum 1."""
        self.faults = {}
        if self._frames:
            quiet_db, loud_db = self._levels()
            self._find_dead(quiet_db, loud_db)
            self._find_noisy(quiet_db, loud_db)
            self._find_opposite(quiet_db, loud_db)
        good = [c for c in range(self._channels) if c + 1 not in self.faults]
        weights = np.zeros(self._channels, np.float32)
        weights[good] = 1.0 / len(good)
        return weights

    def _find_dead(self, quiet_db: Vector, loud_db: Vector) -> None:
        best = int(np.argmax(loud_db))
        for c in np.flatnonzero(loud_db < min(loud_db[best] - 3.0, DEAD_DBFS)):
            self.faults[int(c) + 1] = "is dead"
        # Beside a loud noise, the channel that holds the voice would seem dead.
        if loud_db[best] - quiet_db[best] >= SPEECH_DB:
            for c in np.flatnonzero(loud_db < loud_db[best] - DEAD_BELOW_BEST_DB):
                difference_db = loud_db[best] - loud_db[c]
                self.faults.setdefault(int(c) + 1, f"is {difference_db:.0f} dB quieter")

    def _find_noisy(self, quiet_db: Vector, loud_db: Vector) -> None:
        live = [c for c in range(self._channels) if c + 1 not in self.faults]
        snr_db = loud_db - quiet_db
        best = max(live, key=lambda c: snr_db[c])
        if snr_db[best] >= SPEECH_DB:
            excess_db = snr_db[best] - snr_db
        else:  # nobody speaks yet: hiss or hum is what is louder, unless both hear the same
            least = min(live, key=lambda c: quiet_db[c])
            same = np.abs(self._correlation()[least]) > SAME
            excess_db = np.where(same, 0.0, quiet_db - quiet_db[least])
        for c in live:
            if excess_db[c] > NOISIER_DB:
                self.faults[c + 1] = f"has {excess_db[c]:.0f} dB more noise"

    def _correlation(self) -> Matrix:
        """Of each channel with each, in [-1, 1]."""
        power = np.sqrt(np.diag(self._products)) + _TINY
        return np.asarray(self._products / np.outer(power, power))

    def _find_opposite(self, quiet_db: Vector, loud_db: Vector) -> None:
        live = [c for c in range(self._channels) if c + 1 not in self.faults]
        correlation = self._correlation()
        best = max(live, key=lambda c: (round(float(loud_db[c] - quiet_db[c])), loud_db[c], -c))
        for c in live:
            if c != best and correlation[best, c] < OPPOSITE:
                self.faults[c + 1] = f"is channel {best + 1} in opposite phase"


def _mean(block: Samples) -> Samples:
    total = block[:, :1].copy()
    for other in range(1, block.shape[1]):
        total += block[:, other : other + 1]
    total /= np.float32(block.shape[1])
    return total


def _joined(parts: list[Samples]) -> Samples:
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
