"""The student: log-mel, a strided convolutional feature encoder, a wav2vec 2.0 context network.

The context network is that of wav2vec 2.0 (Baevski et al. 2020, section 2; pre-norm, as its large
model): a grouped convolution over time gives relative positions, then self-attention blocks. As in
Wav2Vec2-BERT (Barrault et al. 2023), it stands on log-mel frames instead of the raw waveform, which
costs a tenth of the arithmetic. Hop 640 samples: 25 tokens a second (strides decide).

Every operation is masked by the clip's length, and nothing is normalized over time without that
mask, so that padding a clip changes none of its tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.student.logmel import BANDS, HOP

DYNAMIC_RANGE = 8.0
MASKED = -1e4


@dataclass(frozen=True, slots=True)
class StudentShape:
    """Sizes: channels, blocks, attention heads, feed-forward factor, position kernel.

    ``strides`` are those of the feature encoder's convolutions: (1, 2, 2) gives 25 tokens a second,
    (1, 2, 1) gives 50.
    """

    channels: int = 256
    layers: int = 3
    heads: int = 4
    widening: int = 4
    position_kernel: int = 19
    position_groups: int = 16
    strides: tuple[int, ...] = (1, 2, 2)

    @property
    def hop(self) -> int:
        """Samples from one token to the next."""
        return HOP * math.prod(self.strides)

    @property
    def lag(self) -> int:
        """Token i is centred where the teacher's token i + lag is."""
        return 0


class Block(nn.Module):
    """Pre-norm self-attention and feed-forward: [batch, time, channels] -> the same."""

    def __init__(self, shape: StudentShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = nn.LayerNorm(shape.channels)
        self.query_key_value = nn.Linear(shape.channels, 3 * shape.channels)
        self.out = nn.Linear(shape.channels, shape.channels)
        self.feed_norm = nn.LayerNorm(shape.channels)
        self.up = nn.Linear(shape.channels, shape.widening * shape.channels)
        self.down = nn.Linear(shape.widening * shape.channels, shape.channels)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, time, channels = x.shape
        parts = self.query_key_value(self.attention_norm(x))
        parts = parts.view(batch, time, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-1, -2) * (channels // self.heads) ** -0.5
        mixed = torch.softmax(scores + bias, dim=-1) @ value
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, channels))
        return x + self.down(functional.gelu(self.up(self.feed_norm(x))))


class ContextNetwork(nn.Module):
    """What comes after any feature encoder: relative positions, then the blocks."""

    def __init__(self, shape: StudentShape, convolutions: nn.ModuleList) -> None:
        super().__init__()
        self.shape = shape
        self.convolutions = convolutions
        c = shape.channels
        self.positions = nn.Conv1d(
            c,
            c,
            shape.position_kernel,
            padding=shape.position_kernel // 2,
            groups=shape.position_groups,
        )
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))

    def context(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        """Features [batch, tokens, channels], mask [batch, tokens, 1] -> every block's output."""
        x = x + functional.gelu(self.positions(x.transpose(1, 2))).transpose(1, 2)
        bias = (1.0 - mask.transpose(1, 2)[:, None]) * MASKED
        hidden = []
        for block in self.blocks:
            x = block(x, bias)
            hidden.append(x)
        return hidden


class Student(ContextNetwork):
    """log10 mel [batch, frames, 80] and valid frames [batch] -> hidden states and token mask.

    Returns the outputs of all blocks, each [batch, ceil(frames / 4), channels], and the mask
    [batch, ceil(frames / 4), 1] (1 where a token is the clip's, 0 where it is padding).
    """

    def __init__(self, shape: StudentShape) -> None:
        sizes = (BANDS, shape.channels, shape.channels)
        convolutions = nn.ModuleList(
            nn.Conv1d(size, shape.channels, 3, stride=stride, padding=1)
            for size, stride in zip(sizes, shape.strides, strict=True)
        )
        super().__init__(shape, convolutions)
        self.feature_norm = nn.LayerNorm(shape.channels)

    def features(self, logmel: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """What the context network stands on, 0 where masked, and the token mask."""
        mask = frame_mask(logmel, frames)
        x = level(logmel, mask).transpose(1, 2)
        mask = mask.transpose(1, 2)
        for convolution in self.convolutions:
            x = functional.gelu(convolution(x))
            mask = mask[:, :, :: convolution.stride[0]]
            x = x * mask
        return self.feature_norm(x.transpose(1, 2)) * mask.transpose(1, 2), mask.transpose(1, 2)

    def forward(self, logmel: Tensor, frames: Tensor) -> tuple[list[Tensor], Tensor]:
        features, mask = self.features(logmel, frames)
        return self.context(features, mask), mask


def frame_mask(logmel: Tensor, frames: Tensor) -> Tensor:
    """1 for the clip's own frames, 0 for padding: float32 [batch, frames, 1]."""
    places = torch.arange(logmel.shape[1], device=logmel.device)
    return (places[None, :] < frames[:, None]).to(logmel.dtype)[:, :, None]


def floored(logmel: Tensor, mask: Tensor) -> Tensor:
    """Raise everything to within 8 (80 dB) of the clip's loudest band, as Whisper does."""
    loudest = (logmel * mask + (1.0 - mask) * MASKED).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(logmel, loudest - DYNAMIC_RANGE)


def level(logmel: Tensor, mask: Tensor) -> Tensor:
    """Floor, then take away the clip's mean level: the same for any gain; 0 where masked."""
    x = floored(logmel, mask)
    mean = (x * mask).sum(dim=(1, 2), keepdim=True) / (mask.sum(dim=1, keepdim=True) * x.shape[2])
    return (x - mean) * mask


def pooled(x: Tensor, mask: Tensor) -> Tensor:
    """Mean and standard deviation over a clip's tokens: [batch, 2 * channels]."""
    count = mask.sum(dim=1)
    mean = (x * mask).sum(dim=1) / count
    centred = (x - mean[:, None]) * mask
    spread = (centred * centred).sum(dim=1) / count  # a power would cost more in the graph
    return torch.cat([mean, torch.sqrt(spread + 1e-5)], dim=1)


def to_rate(x: Tensor, mask: Tensor, each: int) -> tuple[Tensor, Tensor]:
    """Average every ``each`` tokens that follow one another, padding left out: x and its mask."""
    if each == 1:
        return x, mask
    groups = (x.shape[0], x.shape[1] // each, each, x.shape[2])
    count = mask.view(*groups[:3], 1).sum(dim=2).clamp_min(1.0)
    return (x * mask).view(groups).sum(dim=2) / count, mask[:, ::each]
