"""A student on the raw waveform: wav2vec 2.0, small (Baevski et al. 2020, section 2).

A feature encoder of strided convolutions on raw 16 kHz samples, each followed by a layer norm over
channels and GELU; a projection; a grouped convolution for relative positions; pre-norm transformer
blocks and a last layer norm: the arrangement of its large model, parameter for parameter what
``transformers.Wav2Vec2Model`` computes with ``do_stable_layer_norm`` and ``feat_extract_norm``
"layer" (``streamer.training.export.wav2vec2`` writes its files).

Two departures keep it small. An eighth convolution of stride 2 gives 25 tokens a second in place of
49, which halves the context network's cost. Channels grow from 24 to 256 in place of 512
throughout: the first layers, at 3,200 frames a second, would cost most of the arithmetic.

Frames lie along rows, channels last, and a convolution is a matrix product with the windows that it
covers: the same sums, without the transpositions that the norms would need between convolutions. No
norm is computed over time, no layer pads, and tokens are those whose window lies within the clip,
so that padding a clip changes none of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.student.network import ContextNetwork, StudentShape

# Wav2Vec2FeatureExtractor adds 1e-7, which would change clips below -60 dB of full scale.
EPSILON = 1e-10


@dataclass(frozen=True, slots=True)
class RawShape(StudentShape):
    """As StudentShape; ``widths``, ``kernels`` and ``strides`` are those of the feature encoder."""

    layers: int = 4
    strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2, 2)
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 3, 3, 3)
    widths: tuple[int, ...] = (24, 32, 48, 64, 96, 128, 192, 256)

    @property
    def hop(self) -> int:
        return math.prod(self.strides)

    @property
    def field(self) -> int:
        """Samples that one token sees in the feature encoder: 1,280 with the sizes above."""
        seen = 1
        for kernel, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            seen = (seen - 1) * stride + kernel
        return seen

    @property
    def lag(self) -> int:
        """1 with the sizes above: token i is centred on sample (i + 1) * hop."""
        return round(self.field / 2 / self.hop)


class RawStudent(ContextNetwork):
    """audio [batch, samples] at 16 kHz and valid samples [batch] -> hidden states and token mask.

    Returns the outputs of all blocks, the last one normalized, each [batch, tokens, channels], and
    the mask [batch, tokens, 1]; the tokens of n samples are (n - field) // hop + 1.
    """

    shape: RawShape

    def __init__(self, shape: RawShape) -> None:
        sizes = zip((1, *shape.widths), shape.widths, shape.kernels, shape.strides, strict=False)
        super().__init__(shape, nn.ModuleList(WindowConvolution(*each) for each in sizes))
        self.projection_norm = nn.LayerNorm(shape.widths[-1])
        self.projection = nn.Linear(shape.widths[-1], shape.channels)
        self.last_norm = nn.LayerNorm(shape.channels)

    def convolve(self, audio: Tensor) -> Tensor:
        """audio [batch, samples] -> [batch, tokens, widths[-1]]."""
        x = audio[:, :, None]
        for convolution in self.convolutions:
            x = convolution(x)
        return x

    def features(self, audio: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """What the context network stands on, 0 where masked, and the token mask."""
        x = self.projection(self.projection_norm(self.convolve(level_audio(audio, samples))))
        tokens = (samples - self.shape.field) // self.shape.hop + 1
        places = torch.arange(x.shape[1], device=x.device)
        mask = (places[None, :] < tokens[:, None]).to(audio.dtype)[:, :, None]
        return x * mask, mask

    def context(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        *before, last = super().context(x, mask)
        return [*before, self.last_norm(last)]

    def forward(self, audio: Tensor, samples: Tensor) -> tuple[list[Tensor], Tensor]:
        features, mask = self.features(audio, samples)
        return self.context(features, mask), mask


class WindowConvolution(nn.Module):
    """Convolution, layer norm, GELU: [batch, frames, before] -> [batch, fewer frames, after].

    ``product`` holds the kernel as a matrix, [after, kernel * before], time before channels.
    """

    def __init__(self, before: int, after: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.product = nn.Linear(before * kernel, after)
        self.norm = nn.LayerNorm(after)
        nn.init.kaiming_normal_(self.product.weight)

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(self.norm(self.product(windows(x, self.kernel, self.stride))))


def windows(x: Tensor, kernel: int, stride: int) -> Tensor:
    """All whole windows of ``kernel`` frames: [batch, frames, n] -> [batch, count, kernel * n].

    The kernel is a multiple of the stride, or one frame longer than one.
    """
    batch, frames, size = x.shape
    count = (frames - kernel) // stride + 1
    parts = [
        x[:, start : start + count * stride].reshape(batch, count, stride * size)
        for start in range(0, kernel - kernel % stride, stride)
    ]
    if kernel % stride:
        parts.append(x[:, kernel - 1 : kernel + (count - 1) * stride : stride])
    return torch.cat(parts, dim=2)


def level_audio(audio: Tensor, samples: Tensor) -> Tensor:
    """Mean 0 and variance 1 over each clip's own samples, 0 beyond them."""
    places = torch.arange(audio.shape[1], device=audio.device)
    own = (places[None, :] < samples[:, None]).to(audio.dtype)
    count = samples[:, None].to(audio.dtype)
    centred = (audio - (audio * own).sum(dim=1, keepdim=True) / count) * own
    return centred / torch.sqrt((centred * centred).sum(dim=1, keepdim=True) / count + EPSILON)
