"""Fine-tuning of encoder blocks: a lower learning rate than the head, anchored by L2-SP."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from streamer.training.tune.tunable import Tunable


class AnchoredBlocks:
    """All parameters of an encoder but those of its feature encoder, which are frozen.

    `distance` is measured from their values at construction (L2-SP).
    """

    def __init__(self, tunable: Tunable) -> None:
        frozen = {id(p) for p in tunable.frozen}
        self.parameters = [p for p in tunable.parameters() if id(p) not in frozen]
        for parameter in tunable.frozen:
            parameter.requires_grad_(False)
        self._start = [p.detach().clone() for p in self.parameters]

    def optimizer(
        self, head: Iterable[nn.Parameter], rate: float, share: float
    ) -> torch.optim.Optimizer:
        """Adam: the head at this rate, the blocks at this share of it."""
        return torch.optim.Adam(
            [
                {"params": self.parameters, "lr": rate * share},
                {"params": list(head), "lr": rate},
            ]
        )

    def distance(self) -> Tensor:
        """Squared distance from the start, summed over all parameters."""
        pairs = zip(self.parameters, self._start, strict=True)
        return torch.stack([((p - a) ** 2).sum() for p, a in pairs]).sum()
