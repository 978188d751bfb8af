"""The teacher: the first blocks of a Whisper encoder, in plain torch, from a npz of its weights.

Whisper (Radford et al. 2023) is trained on transcripts, so a student of it is "distilled from
Whisper", not self-supervised. Its early blocks represent paralinguistic content, the late ones
linguistic content.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

_TINY = {
    "ln1": "block_{i}/attn_ln", "query": "block_{i}/attn/query", "key": "block_{i}/attn/key",
    "value": "block_{i}/attn/value", "out": "block_{i}/attn/out", "ln2": "block_{i}/mlp_ln",
    "up": "block_{i}/mlp/mlp1", "down": "block_{i}/mlp/mlp2",
}  # fmt: skip
_BASE = {
    "ln1": "layers_{i}_self_attn_layer_norm", "query": "layers_{i}_self_attn_q_proj",
    "key": "layers_{i}_self_attn_k_proj", "value": "layers_{i}_self_attn_v_proj",
    "out": "layers_{i}_self_attn_out_proj", "ln2": "layers_{i}_final_layer_norm",
    "up": "layers_{i}_fc1", "down": "layers_{i}_fc2",
}  # fmt: skip
HEAD_SIZE = 64


def sinusoids(length: int, channels: int) -> Tensor:
    """Whisper's positions: [length, channels], sines in the first half, cosines in the second."""
    rates = torch.exp(-np.log(10_000.0) / (channels // 2 - 1) * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class WhisperTeacher(nn.Module):
    """log10 mel [frames, 80] of one clip -> hidden states, a list of [frames / 2, width].

    ``layers`` blocks are run; item j of the list is the output of block j + 1 (50 frames a second).
    """

    def __init__(self, weights: Path, layers: int) -> None:
        super().__init__()
        if not weights.is_file():
            raise FileNotFoundError(f"no teacher weights at {weights}: give a Whisper encoder npz")
        with np.load(weights, allow_pickle=False) as stored:
            names = _TINY if "block_0/attn_ln.w" in stored else _BASE
            self._weights = {
                key: torch.from_numpy(stored[key].astype(np.float32)) for key in stored.files
            }
        self._names = names
        self.layers = layers
        self.width = int(self._weights["c1b"].shape[0])

    def _affine(self, x: Tensor, name: str) -> Tensor:
        y = x @ self._weights[f"{name}.w"]
        bias = self._weights.get(f"{name}.b")
        return y if bias is None else y + bias

    def _norm(self, x: Tensor, name: str) -> Tensor:
        w, b = self._weights[f"{name}.w"], self._weights[f"{name}.b"]
        return functional.layer_norm(x, (self.width,), w, b)

    def _block(self, x: Tensor, i: int) -> Tensor:
        name = {part: pattern.format(i=i) for part, pattern in self._names.items()}
        h = self._norm(x, name["ln1"])
        query, key, value = (
            self._affine(h, name[part]).view(len(h), -1, HEAD_SIZE).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = x + self._affine(mixed.transpose(0, 1).reshape(len(h), -1), name["out"])
        h = functional.gelu(self._affine(self._norm(x, name["ln2"]), name["up"]))
        return x + self._affine(h, name["down"])

    @torch.no_grad()
    def forward(self, logmel: Tensor) -> list[Tensor]:
        w = self._weights
        x = torch.maximum(logmel, logmel.max() - 8.0)
        x = ((x + 4.0) / 4.0).T[None]
        x = functional.gelu(functional.conv1d(x, w["c1w"], w["c1b"], padding=1))
        x = functional.gelu(functional.conv1d(x, w["c2w"], w["c2b"], padding=1, stride=2))[0].T
        x = x + sinusoids(len(x), self.width)
        hidden = []
        for i in range(self.layers):
            x = self._block(x, i)
            hidden.append(x)
        return hidden
