"""Augmentation of waveforms: rooms, microphones, noise, other voices and clipping.

The counterpart of ``augment`` for a student on raw samples: the same augmentations with the same
strength, in the frequency domain. Plain gain is left out, because the student normalizes the level
first; overload is simulated as clipping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from streamer.training.data.speech import RATE_HZ

ROOM_SAMPLES = 6_400
CURVES = 5


@dataclass(frozen=True, slots=True)
class WaveAugmentation:
    """The probability of each augmentation, in [0, 1]."""

    filtered: float = 0.7
    band_limited: float = 0.25
    reverberant: float = 0.35
    noisy: float = 0.5
    babble: float = 0.15
    clipped: float = 0.1

    def __call__(self, audio: Tensor, samples: Tensor, rng: np.random.Generator) -> Tensor:
        """audio [batch, samples], valid samples [batch] -> the same shape, 0 beyond the valid.

        Each clip is augmented independently.
        """
        size, length = audio.shape
        own = (torch.arange(length)[None] < samples[:, None]).float()
        x = audio * own
        x = x + _often(rng, self.babble, size) * _other_voices(x, rng)
        room = _often(rng, self.reverberant, size)
        x = x * (1.0 - room) + room * _reverberate(x, rng)
        x = x + _often(rng, self.noisy, size) * _noise(x, own, rng)
        response = _often(rng, self.filtered, size) * _smooth_curves(size, length, rng, 0.35)
        response = response + _often(rng, self.band_limited, size) * _band_limits(size, length, rng)
        x = torch.fft.irfft(torch.fft.rfft(x) * torch.pow(10.0, response / 2.0), length)
        loud = _often(rng, self.clipped, size)
        return (x * (1.0 - loud) + loud * _clip(x, own, rng)) * own


def _often(rng: np.random.Generator, share: float, size: int) -> Tensor:
    return torch.from_numpy((rng.random((size, 1)) < share).astype(np.float32))


def _uniform(rng: np.random.Generator, low: float, high: float, size: int) -> Tensor:
    return torch.from_numpy(rng.uniform(low, high, (size, 1)).astype(np.float32))


def _normal(rng: np.random.Generator, size: int, length: int) -> Tensor:
    return torch.from_numpy(rng.standard_normal((size, length), np.float32))


def _power(x: Tensor, own: Tensor) -> Tensor:
    """Mean square over a clip's own samples: [batch, 1]."""
    return (x * x * own).sum(dim=1, keepdim=True) / own.sum(dim=1, keepdim=True)


def _frequencies(length: int) -> Tensor:
    return torch.fft.rfftfreq(length, 1.0 / RATE_HZ)


def _smooth_curves(size: int, length: int, rng: np.random.Generator, strength: float) -> Tensor:
    """Random curves over the mel scale, a tilt and four slower cosines: log10 power."""
    mels = torch.log1p(_frequencies(length) / 700.0)
    place = torch.pi * mels / mels[-1]
    order = torch.arange(1, CURVES + 1)[:, None]
    weights = rng.normal(0.0, strength, (size, CURVES)).astype(np.float32)
    return torch.from_numpy(weights) @ (torch.cos(order * place) / order**0.5)


def _band_limits(size: int, length: int, rng: np.random.Generator) -> Tensor:
    """Take 20 to 50 dB from all above 3 to 7 kHz and, half as often, below 300 Hz: log10 power."""
    frequencies = _frequencies(length)[None]
    top_hz, bottom_hz = _uniform(rng, 3_000, 7_500, size), _uniform(rng, -300, 300, size)
    outside = ((frequencies > top_hz) | (frequencies < bottom_hz)).float()
    return -_uniform(rng, 2.0, 5.0, size) * outside


def _reverberate(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A room of decaying noise, reverberation time 0.15 to 0.8 s, 2 to 15 dB under the direct."""
    size, length = x.shape
    time_s = torch.arange(ROOM_SAMPLES)[None] / RATE_HZ
    room = _normal(rng, size, ROOM_SAMPLES)
    room = room * torch.pow(10.0, -3.0 * time_s / _uniform(rng, 0.15, 0.8, size))
    late = torch.pow(10.0, -_uniform(rng, 0.1, 0.75, size))
    room = room * late / room.norm(dim=1, keepdim=True)
    room[:, 0] = 1.0
    total = length + ROOM_SAMPLES
    return torch.fft.irfft(torch.fft.rfft(x, total) * torch.fft.rfft(room, total), total)[
        :, :length
    ]


def _noise(x: Tensor, own: Tensor, rng: np.random.Generator) -> Tensor:
    """Steady coloured noise, 3 to 40 dB under the clip."""
    size, length = x.shape
    colour = torch.pow(10.0, _smooth_curves(size, length, rng, 0.6) / 2.0)
    noise = torch.fft.irfft(torch.fft.rfft(_normal(rng, size, length)) * colour, length)
    ratio = torch.pow(10.0, -_uniform(rng, 0.3, 4.0, size))
    return noise * torch.sqrt(ratio * _power(x, own) / _power(noise, own))


def _other_voices(x: Tensor, rng: np.random.Generator) -> Tensor:
    """The next clip of the batch, 10 to 30 dB weaker."""
    other, own = x.roll(1, dims=0), torch.ones_like(x)
    ratio = torch.pow(10.0, -_uniform(rng, 1.0, 3.0, len(x)))
    return other * torch.sqrt(ratio * _power(x, own) / _power(other, own).clamp_min(1e-10))


def _clip(x: Tensor, own: Tensor, rng: np.random.Generator) -> Tensor:
    """An overloaded microphone: cut at 1 to 3 deviations."""
    limit = _uniform(rng, 1.0, 3.0, len(x)) * torch.sqrt(_power(x, own))
    return x.clamp(-limit, limit)
