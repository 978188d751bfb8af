"""The product quantizer of wav2vec 2.0: frames to entries of small codebooks, by Gumbel softmax.

G groups of V entries each; a frame's logits choose one entry per group with the straight-through
estimator (forward: the entry; backward: the softmax), and the concatenated entries are its q
(Baevski et al. 2020, section 2 and equation 1; Jang et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ENTRIES = 320


@dataclass(frozen=True, slots=True)
class Temperature:
    """Of the Gumbel softmax: falls by `factor` a step from `first` to `last`."""

    first: float = 2.0
    last: float = 0.5
    factor: float = 0.999995

    def at(self, step: int) -> float:
        return max(self.last, self.first * self.factor**step)


class Quantizer(nn.Module):
    """z [batch, tokens, c] -> q [batch, tokens, width], codes [batch, tokens, G], chances.

    The chances are the softmax of the logits, [batch, tokens, G, V]; `width` is the sum over the
    groups.
    """

    def __init__(self, channels: int, groups: int = 2, entries: int = ENTRIES, width: int = 256):
        super().__init__()
        self.groups, self.entries = groups, entries
        self.logits = nn.Linear(channels, groups * entries)
        self.codebooks = nn.Parameter(torch.randn(groups, entries, width // groups))
        # Of variance 1 as in wav2vec 2.0: smaller logits would drown in the Gumbel noise.
        nn.init.normal_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def forward(self, z: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
        logits = self.logits(z).unflatten(2, (self.groups, self.entries))
        codes = logits.argmax(dim=3)
        if self.training:
            noise = -torch.empty_like(logits).exponential_().log()
            soft = torch.softmax((logits + noise) / temperature, dim=3)
            hard = functional.one_hot(soft.argmax(dim=3), self.entries).to(soft.dtype)
            chosen = hard + soft - soft.detach()
        else:
            chosen = functional.one_hot(codes, self.entries).to(logits.dtype)
        q = torch.einsum("btgv,gvw->btgw", chosen, self.codebooks).flatten(2)
        return q, codes, torch.softmax(logits, dim=3)


def diversity_loss(chances: Tensor, mask: Tensor) -> Tensor:
    """1/(GV) sum_g sum_v p log p of the batch's mean chances (Baevski et al., equation 4).

    chances [batch, tokens, G, V], mask [batch, tokens, 1]; smallest where all entries are used.
    """
    own = mask[:, :, 0].bool()
    mean = chances[own].mean(dim=0)
    return (mean * (mean + 1e-9).log()).sum() / mean.numel()
