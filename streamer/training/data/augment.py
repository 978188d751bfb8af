"""Augmentation of log-mel spectrograms: rooms, microphones, noise and other voices.

The student gets the augmented clip; its target is the teacher's output for the clean one. On mel
power this costs very little: a filter is a curve added to the logarithm, a room is a decaying
average over frames, noise and other voices add power. Gain needs no augmentation, because the
student takes the clip's level away first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from streamer.training.student.logmel import BANDS

REVERB_FRAMES = 48
FRAME_S = 0.01


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The probability of each augmentation, in [0, 1]."""

    filtered: float = 0.7
    band_limited: float = 0.25
    reverberant: float = 0.35
    noisy: float = 0.5
    babble: float = 0.15

    def __call__(self, logmel: Tensor, rng: np.random.Generator) -> Tensor:
        """log10 mel [batch, frames, 80] -> the same shape, each clip augmented independently."""
        size = len(logmel)
        power = torch.pow(10.0, logmel)
        power = power + _often(rng, self.babble, size) * _other_voices(power, rng)
        room = _often(rng, self.reverberant, size)
        power = power * (1.0 - room) + room * _reverberate(power, rng)
        power = power + _often(rng, self.noisy, size) * _noise(power, rng)
        changed = torch.log10(power.clamp_min(1e-10))
        changed = changed + _often(rng, self.filtered, size) * _filters(size, rng)
        changed = changed + _often(rng, self.band_limited, size) * _band_limits(size, rng)
        return changed.clamp_min(-10.0)


def _often(rng: np.random.Generator, share: float, size: int) -> Tensor:
    return torch.from_numpy((rng.random((size, 1, 1)) < share).astype(np.float32))


def _uniform(rng: np.random.Generator, low: float, high: float, size: int) -> Tensor:
    return torch.from_numpy(rng.uniform(low, high, (size, 1, 1)).astype(np.float32))


def _smooth_curves(size: int, rng: np.random.Generator, strength: float) -> Tensor:
    """Random curves over the bands, a tilt and four slower cosines: [size, 1, 80], log10 power."""
    place = np.linspace(0.0, np.pi, BANDS)
    shapes = np.cos(np.arange(1, 6)[:, None] * place) / np.arange(1, 6)[:, None] ** 0.5
    curves = rng.normal(0.0, strength, (size, 5)) @ shapes
    return torch.from_numpy(curves[:, None].astype(np.float32))


def _filters(size: int, rng: np.random.Generator) -> Tensor:
    """Microphone and channel colour: about 4 dB of deviation."""
    return _smooth_curves(size, rng, 0.35)


def _band_limits(size: int, rng: np.random.Generator) -> Tensor:
    """Take 20 to 50 dB from the bands above (3 to 7 kHz) and, half as often, below 300 Hz."""
    top = _uniform(rng, 0.66, 0.97, size) * BANDS
    bottom = _uniform(rng, -8.0, 8.0, size)
    bands = torch.arange(BANDS)[None, None]
    outside = ((bands > top) | (bands < bottom)).float()
    return -_uniform(rng, 2.0, 5.0, size) * outside


def _reverberate(power: Tensor, rng: np.random.Generator) -> Tensor:
    """Exponential decay of power over frames, reverberation time 0.15 to 0.8 s."""
    size, frames, _ = power.shape
    decay = -6.0 * FRAME_S / _uniform(rng, 0.15, 0.8, size)
    tail = torch.pow(10.0, decay * torch.arange(REVERB_FRAMES)[None, None])
    late = _uniform(rng, 0.02, 0.3, size) * tail
    late[:, :, 0] = 1.0
    signal = functional.pad(power.permute(2, 0, 1), (REVERB_FRAMES - 1, 0))
    return functional.conv1d(signal, late.flip(-1), groups=size).permute(1, 2, 0)[:, :frames]


def _noise(power: Tensor, rng: np.random.Generator) -> Tensor:
    """Steady coloured noise with the flicker of its periodogram, 3 to 40 dB under the clip."""
    size, frames, _ = power.shape
    colour = torch.pow(10.0, _smooth_curves(size, rng, 0.6))
    grain = torch.from_numpy(rng.gamma(2.0, 0.5, (size, frames, BANDS)).astype(np.float32))
    noise = colour * grain
    ratio = torch.pow(10.0, -_uniform(rng, 0.3, 4.0, size))
    return noise * (
        ratio * power.mean(dim=(1, 2), keepdim=True) / noise.mean(dim=(1, 2), keepdim=True)
    )


def _other_voices(power: Tensor, rng: np.random.Generator) -> Tensor:
    """The next clip of the batch, 10 to 30 dB weaker."""
    other = power.roll(1, dims=0)
    ratio = torch.pow(10.0, -_uniform(rng, 1.0, 3.0, len(power)))
    return other * (
        ratio
        * power.mean(dim=(1, 2), keepdim=True)
        / other.mean(dim=(1, 2), keepdim=True).clamp_min(1e-10)
    )
