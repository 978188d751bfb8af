"""The emotion head on frames: a GRU, a transformer block, a masked mean (Li and Lee, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class FrameHead(nn.Module):
    """Frames [..., time, n] and their mask [..., time] (1: the clip's own) -> unit [..., size].

    Trailing padding changes nothing: the GRU runs forward only, and attention and mean are masked.
    """

    def __init__(self, inputs: int, size: int, channels: int = 128, heads: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.gru = nn.GRU(inputs, channels, batch_first=True)
        self.block = nn.TransformerEncoderLayer(
            channels, heads, 2 * channels, dropout=0.1, batch_first=True, norm_first=True
        )
        self.out = nn.Linear(channels, size)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        flat, own = frames.flatten(0, -3), mask.flatten(0, -2)
        hidden, _ = self.gru(self.norm(flat))
        hidden = self.block(hidden, src_key_padding_mask=own == 0) * own[:, :, None]
        mean = hidden.sum(dim=1) / own.sum(dim=1, keepdim=True)
        unit = functional.normalize(self.out(mean), dim=1)
        return unit.unflatten(0, frames.shape[:-2])


class FrameInputs:
    """Crops of cached frames: [classes, examples, crop, n] and their mask.

    frames: float16 [all clips' tokens, n]; offsets: where each clip starts, and the end.
    """

    def __init__(self, frames: np.ndarray, offsets: Sequence[int], crop: int = 64) -> None:
        self.frames, self.offsets, self.crop = frames, offsets, crop

    def __call__(self, numbers: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        starts = []
        for i in numbers.ravel():
            spare = self.offsets[i + 1] - self.offsets[i] - self.crop
            starts.append(int(rng.integers(0, max(1, spare + 1))))
        frames, mask = self.padded(numbers.ravel(), self.crop, starts)
        return frames.unflatten(0, numbers.shape), mask.unflatten(0, numbers.shape)

    def padded(
        self, numbers: np.ndarray, most: int, starts: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Up to ``most`` tokens of each clip, from its start on or from those given."""
        counts = [min(most, self.offsets[i + 1] - self.offsets[i]) for i in numbers]
        frames = torch.zeros(len(numbers), max(counts), self.frames.shape[1])
        mask = torch.zeros(len(numbers), max(counts))
        for row, (i, count) in enumerate(zip(numbers, counts, strict=True)):
            start = self.offsets[i] + (starts[row] if starts else 0)
            values = self.frames[start : start + count].astype(np.float32)
            frames[row, :count], mask[row, :count] = torch.from_numpy(values), 1.0
        return frames, mask
