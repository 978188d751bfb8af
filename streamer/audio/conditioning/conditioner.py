"""What stands between the resampler and everything that listens: offset, hum and rumble removed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.audio.conditioning.blocks import BLOCK_SAMPLES, decimate, spectrum
from streamer.audio.conditioning.hum import HumTracker
from streamer.audio.conditioning.offset import OffsetTracker
from streamer.audio.conditioning.rumble import RumbleFilter
from streamer.types import Samples, Vector

PRIME_BLOCKS: Final = 2


@dataclass(frozen=True, slots=True)
class Disturbances:
    """What is being removed at the moment.

    offset: in [-1, 1], 0 where there is none. hum_hz: 50 or 60, None where there is none. The
    mean squares of hum and rumble; 0 where there is none.
    """

    offset: float
    hum_hz: float | None
    hum_power: float
    rumble_power: float


class Conditioner:
    """One timeline of 16 kHz mono samples: as many come out as went in, unchanged if undisturbed.

    The first second is held back until it is whole (or `finish` comes), so that it can be
    measured before it is passed on; later samples pass at once, with what was known at the start
    of their block of half a second. The bits do not depend on how the timeline was cut.

    is_disturbed: something is being removed; `disturbances` tells what.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new timeline."""
        self._offset = OffsetTracker()
        self._hum = HumTracker()
        self._rumble = RumbleFilter()
        self._held: list[Samples] | None = []
        self._held_samples = 0
        self._block = np.zeros(BLOCK_SAMPLES, np.float32)
        self._filled = 0
        self._blocks = 0
        self._observed = 0
        self._subtract: Vector | None = None
        self._level = 0.0
        self.is_disturbed = False

    @property
    def disturbances(self) -> Disturbances:
        """What is removed from the samples that come next."""
        return Disturbances(
            offset=self._offset.level,
            hum_hz=self._hum.mains_hz,
            hum_power=self._hum.power,
            rumble_power=self._rumble.power if self._rumble.is_on else 0.0,
        )

    def push(self, samples: Samples) -> Samples:
        """samples: float32 [n], n >= 0. Returns float32 [m]."""
        if self._held is None:
            return self._pass(samples)
        self._held.append(samples)
        self._held_samples += len(samples)
        if self._held_samples < PRIME_BLOCKS * BLOCK_SAMPLES:
            return samples[:0]
        return self._begin()

    def finish(self) -> Samples:
        """What is still held back of a timeline shorter than a second. Then `reset`."""
        return np.zeros(0, np.float32) if self._held is None else self._begin()

    def _begin(self) -> Samples:
        """Measure what was held back, and pass it on."""
        held = np.concatenate(self._held) if self._held else np.zeros(0, np.float32)
        self._held = None
        blocks = min(len(held) // BLOCK_SAMPLES, PRIME_BLOCKS)
        for k in range(blocks):
            self._observe(held[k * BLOCK_SAMPLES : (k + 1) * BLOCK_SAMPLES])
        if not blocks and len(held):
            self._offset.observe(held)
        self._level = self._offset.level
        self._decide(before=None)
        return self._pass(held)

    def _pass(self, samples: Samples) -> Samples:
        if self._filled + len(samples) < BLOCK_SAMPLES:
            return self._within(samples)
        passed, taken = [], 0
        while taken < len(samples):
            part = samples[taken : taken + BLOCK_SAMPLES - self._filled]
            taken += len(part)
            passed.append(self._within(part))
            if self._filled == BLOCK_SAMPLES:
                self._end_block()
        return np.concatenate(passed)

    def _within(self, part: Samples) -> Samples:
        """Samples of one block."""
        at, self._filled = self._filled, self._filled + len(part)
        self._block[at : self._filled] = part
        if not len(part):
            return part
        if self._subtract is not None:
            part = (part - self._subtract[at : self._filled]).astype(np.float32)
        return self._rumble.apply(part, at)

    def _end_block(self) -> None:
        before = self._block
        if self._subtract is not None:
            before = (before - self._subtract).astype(np.float32)
        self._filled = 0
        self._blocks += 1
        if self._blocks > self._observed:
            self._observe(self._block)
            self._decide(before)
        else:
            self._plan()

    def _observe(self, block: Samples) -> None:
        self._observed += 1
        self._offset.observe(block)
        seen = spectrum(decimate(block))
        self._hum.observe(seen)
        self._rumble.observe(seen)

    def _decide(self, before: Samples | None) -> None:
        if self._observed:
            if self._observed > 1:
                self._hum.decide()
            self._rumble.decide(before)
        self.is_disturbed = bool(self._offset.level) or self._hum.is_on or self._rumble.is_on
        self._plan()

    def _plan(self) -> None:
        """What is to be subtracted in the block that begins."""
        level, self._level = self._level, self._offset.level
        if not (level or self._level or self._hum.is_on):
            self._subtract = None
            return
        steps = np.arange(1, BLOCK_SAMPLES + 1) / BLOCK_SAMPLES
        self._subtract = level + (self._level - level) * steps
        if self._hum.is_on:
            self._subtract += self._hum.predict(self._blocks + 1 - self._observed)
