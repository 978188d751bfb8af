"""Mains hum: stationary lines at multiples of 50 or 60 Hz, found, followed, and predicted.

In each block the complex amplitude of every line is measured. A line of hum keeps its amplitude and
turns by a constant angle from block to block (by how much its frequency differs from the nominal
one); speech does neither. So the lines are fitted over the last blocks, robustly against those
that hold speech, and continued into the next block, where they are subtracted. Unlike a notch, this
rings at no onset and takes nothing of speech beside the line.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.audio.conditioning.blocks import (
    BIN_HZ,
    BLOCK_SAMPLES,
    DECIMATION,
)
from streamer.types import SAMPLE_RATE_HZ, Vector

Complexes = NDArray[np.complex128]

MAINS_HZ: Final = (50.0, 60.0)
HARMONICS: Final = 12
MEMORY_BLOCKS: Final = 8
# Hum that was found keeps its frequency for seconds: it is fitted anew once a second.
FIT_EVERY_BLOCKS: Final = 2
# Few blocks do not show whether a tone stays: it has to stand out further.
SURE_BLOCKS: Final = 4
STANDS_OUT: Final = 10.0
STANDS_OUT_EARLY: Final = 30.0
# A family without its first line (a rectifier's buzz) could be a held note of a voice.
STANDS_OUT_ALONE: Final = 100.0
STILL_THERE: Final = 3.0
QUIETEST: Final = 10.0 ** (-75.0 / 20.0)
# Radians a block: within these a line's turning is not mistaken for that of its alias.
MOST_TURN: Final = 2.6
_SIDE_BINS: Final = np.array([-6, -4, -3, 3, 4, 6])
_TINY: Final = 1e-14
_NONE: Final = np.zeros(len(MAINS_HZ) * HARMONICS, int)
_ROW_SAMPLES: Final = 100

_LINES_HZ: Final = np.concatenate([mains * np.arange(1, HARMONICS + 1) for mains in MAINS_HZ])
_FAMILY: Final = np.repeat(np.arange(len(MAINS_HZ)), HARMONICS)
_BINS: Final = np.rint(_LINES_HZ / BIN_HZ).astype(int)
_SIDES: Final = _BINS[:, None] + _SIDE_BINS
_RADIANS: Final = np.pi * _LINES_HZ / SAMPLE_RATE_HZ
# What the means of `decimate` do to amplitude and phase is undone here.
_UNDO: Final = (
    2.0
    * (DECIMATION * np.sin(_RADIANS) / np.sin(DECIMATION * _RADIANS))
    * np.exp(-1j * _RADIANS * (DECIMATION - 1))
)


class HumTracker:
    """Observe the spectrum of every block in order; `predict` the hum of the blocks after it."""

    def __init__(self) -> None:
        self._lines: deque[Complexes] = deque(maxlen=MEMORY_BLOCKS)
        self._sides: deque[Vector] = deque(maxlen=MEMORY_BLOCKS)
        self._stands_out: deque[NDArray[np.bool_]] = deque(maxlen=MEMORY_BLOCKS)
        self._since_fit = 0
        self._on = np.zeros(len(_LINES_HZ), bool)
        self._amplitude = np.zeros(len(_LINES_HZ), np.complex128)
        self._turn = np.zeros(len(_LINES_HZ))

    @property
    def is_on(self) -> bool:
        return bool(self._on.any())

    @property
    def mains_hz(self) -> float | None:
        """50 or 60, None where there is no hum."""
        return MAINS_HZ[int(_FAMILY[self._on][0])] if self.is_on else None

    @property
    def power(self) -> float:
        """The mean square of the lines that are subtracted."""
        return float(np.sum(np.abs(self._amplitude[self._on]) ** 2)) / 2.0

    def observe(self, spectrum: Complexes) -> None:
        """spectrum: of the next block, see `blocks.spectrum`."""
        lines, sides = spectrum[_BINS] * _UNDO, spectrum[_SIDES]
        around = (sides.real**2 + sides.imag**2).sum(axis=1) * (4.0 / len(_SIDE_BINS)) + _TINY
        self._since_fit += 1
        self._lines.append(lines)
        self._sides.append(around)
        self._stands_out.append(lines.real**2 + lines.imag**2 > STANDS_OUT * around)

    def decide(self) -> None:
        """Find the lines that are hum, and fit them to the blocks observed."""
        early = len(self._lines) < SURE_BLOCKS
        if self.is_on:
            if self._since_fit < FIT_EVERY_BLOCKS and len(self._lines) == MEMORY_BLOCKS:
                return
        elif 2 * int(sum(self._stands_out, _NONE).max()) < len(self._stands_out):
            return
        self._since_fit = 0
        at = np.flatnonzero(self._on | np.any(self._stands_out, axis=0))
        around, mean = _median(np.array(self._sides)), np.zeros(len(_LINES_HZ))
        lines = np.array(self._lines)[:, at]
        amplitude, turn = np.zeros(len(_LINES_HZ), np.complex128), np.zeros(len(_LINES_HZ))
        amplitude[at], turn[at] = _fit(lines)
        mean[at] = np.add.reduce(lines.real**2 + lines.imag**2) / len(lines)
        fitted = np.abs(amplitude) ** 2
        trusted = (np.abs(amplitude) > QUIETEST) & (np.abs(turn) < MOST_TURN)
        strong = trusted & (fitted > (STANDS_OUT_EARLY if early else STANDS_OUT) * around)
        if not early:
            strong &= fitted > 0.5 * mean
        first = strong.reshape(len(MAINS_HZ), HARMONICS)[:, 0]
        family = first | (self._on & trusted).reshape(len(MAINS_HZ), HARMONICS).any(axis=1)
        if len(self._lines) == MEMORY_BLOCKS:
            alone = strong & (fitted > STANDS_OUT_ALONE * around)
            family |= alone.reshape(len(MAINS_HZ), HARMONICS)[:, 1]
        if family.all():
            loudest = [np.sum(fitted[(strong | self._on) & (k == _FAMILY)]) for k in (0, 1)]
            family[int(np.argmin(loudest))] = False
        still = self._on & trusted & (fitted > STILL_THERE * around)
        self._on = (strong | still) & family[_FAMILY]
        self._amplitude, self._turn = amplitude, turn

    def predict(self, ahead: int) -> Vector:
        """The hum, float64 [BLOCK_SAMPLES], `ahead` blocks after the last one observed."""
        on = np.flatnonzero(self._on)
        # Amplitudes are those at the middle of a block, by a clock of the nominal frequency.
        turn = self._turn[on]
        radians = 2.0 * np.pi * _LINES_HZ[on] / SAMPLE_RATE_HZ + turn / BLOCK_SAMPLES
        start = self._amplitude[on] * np.exp(1j * turn * (ahead + self._since_fit - 0.5))
        # Of rows of samples, and within a row: their products are all samples.
        row = start * _powers(np.exp(1j * _ROW_SAMPLES * radians), BLOCK_SAMPLES // _ROW_SAMPLES)
        within = _powers(np.exp(1j * radians), _ROW_SAMPLES)
        hum = row.real @ within.real.T - row.imag @ within.imag.T
        return np.asarray(hum.reshape(-1))


def _powers(base: Complexes, count: int) -> Complexes:
    """base ** 0, 1, ..., count - 1: complex [count, bases]."""
    factors = np.empty((count, len(base)), np.complex128)
    factors[0] = 1.0
    factors[1:] = base
    return np.multiply.accumulate(factors)


def _median(values: Vector) -> Vector:
    """Over the first axis; np.median takes ten times as long for so few."""
    ordered, half = np.sort(values, axis=0), len(values) // 2
    return np.asarray(
        ordered[half] if len(values) % 2 else 0.5 * (ordered[half - 1] + ordered[half])
    )


def _fit(lines: Complexes) -> tuple[Complexes, Vector]:
    """Amplitudes at the last block, and radians a block, of lines, complex [blocks, lines].

    Least squares, reweighted so that blocks which hold something else beside count little.
    """
    magnitude = np.abs(lines)
    weight = 1.0 / (1.0 + (magnitude / (_median(magnitude) + _TINY)) ** 4)
    steps = lines[1:] * lines[:-1].conj() * weight[1:] * weight[:-1]
    turn = np.angle(steps.sum(axis=0))
    age = np.arange(len(lines) - 1, -1, -1)[:, None]
    turned = lines * np.exp(1j * turn * age)
    if len(lines) < 3:
        return turned.mean(axis=0), turn
    amplitude = _median(turned.real) + 1j * _median(turned.imag)
    for _ in range(3):
        distance = np.abs(turned - amplitude)
        weight = 1.0 / (1.0 + (distance / (_median(distance) + _TINY)) ** 2)
        total = weight.sum(axis=0)
        amplitude = (weight * turned).sum(axis=0) / total
        angle = np.angle(turned * amplitude.conj())
        lever = age - (weight * age).sum(axis=0) / total
        slope = (weight * lever * angle).sum(axis=0) / (weight * lever**2).sum(axis=0)
        turn = turn - np.clip(slope, -0.2, 0.2)
        turned = lines * np.exp(1j * turn * age)
    return (weight * turned).sum(axis=0) / total, turn
