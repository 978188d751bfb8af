"""A student on the raw waveform: wav2vec 2.0's feature encoder, with growing widths.

Baevski et al. 2020, section 2: seven convolutions, kernels 10, 3, 3, 3, 3, 2, 2 and strides
5, 2, 2, 2, 2, 2, 2, turn samples into 50 tokens a second; each is followed by a layer norm over
channels (as in its large model) and GELU. Widths grow from 32 to 192 instead of staying at one: the
first layers, at 3,200 frames a second, cost most of the arithmetic.

No norm is computed over time, and the waveform is normalized over the clip's own samples, so that
padding a clip changes none of its tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.student.network import ContextNetwork, StudentShape

TOKEN_SAMPLES = 640


@dataclass(frozen=True, slots=True)
class RawShape(StudentShape):
    """As StudentShape; ``widths`` and ``kernels`` are those of the feature encoder."""

    position_kernel: int = 39
    strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    widths: tuple[int, ...] = (32, 48, 64, 96, 128, 160, 192)

    @property
    def hop(self) -> int:
        return math.prod(self.strides)

    @property
    def field(self) -> int:
        """Samples that one token sees in the feature encoder: 400 with the sizes above."""
        seen = 1
        for kernel, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            seen = (seen - 1) * stride + kernel
        return seen


class RawStudent(ContextNetwork):
    """audio [batch, samples] at 16 kHz and valid samples [batch] -> hidden states and token mask.

    Returns the outputs of all blocks, each [batch, tokens, channels], and the mask
    [batch, tokens, 1]; tokens are as many as fill the audio at 50 a second, made even.
    """

    def __init__(self, shape: RawShape) -> None:
        sizes = (1, *shape.widths)
        convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, stride=stride)
            for before, after, kernel, stride in zip(
                sizes, shape.widths, shape.kernels, shape.strides, strict=False
            )
        )
        super().__init__(shape, convolutions)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in shape.widths)
        self.projection_norm = nn.LayerNorm(shape.widths[-1])
        self.projection = nn.Linear(shape.widths[-1], shape.channels)
        self.edge = (shape.field - shape.hop) // 2

    def convolve(self, audio: Tensor) -> Tensor:
        """audio [batch, samples] -> [batch, tokens, widths[-1]], nothing padded."""
        x = audio[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.gelu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)
        return x.transpose(1, 2)

    def features(self, audio: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """What the context network stands on, 0 where masked, and the token mask."""
        x = level_audio(audio, samples)
        x = functional.pad(x, (self.edge, self.edge + (-audio.shape[1]) % TOKEN_SAMPLES))
        x = self.projection(self.projection_norm(self.convolve(x)))
        starts = torch.arange(x.shape[1], device=x.device) * self.shape.hop
        mask = (starts[None, :] < samples[:, None]).to(x.dtype)[:, :, None]
        return self.feature_norm(x) * mask, mask

    def forward(self, audio: Tensor, samples: Tensor) -> tuple[list[Tensor], Tensor]:
        features, mask = self.features(audio, samples)
        return self.context(features, mask), mask


def level_audio(audio: Tensor, samples: Tensor) -> Tensor:
    """Mean 0 and variance 1 over each clip's own samples, 0 beyond them."""
    places = torch.arange(audio.shape[1], device=audio.device)
    own = (places[None, :] < samples[:, None]).to(audio.dtype)
    count = own.sum(dim=1, keepdim=True)
    centred = (audio - (audio * own).sum(dim=1, keepdim=True) / count) * own
    return centred / torch.sqrt((centred * centred).sum(dim=1, keepdim=True) / count + 1e-9)
