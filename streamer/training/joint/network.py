"""The joint cross-domain network: images of faces and images of speech through one set of weights.

Four 3 x 3 convolutions of 64, 128, 256 and 512 filters, each followed by a leaky ReLU, group
normalization, dropout of 0.5 and max-pooling by 2; then fully connected layers of 512, 128, 32 and
6 (Nguyen et al., section 4). Input 64 x 64 x 3, output the 32-dimensional feature f and the logits
of each head.

Open in the paper, and chosen here: the slope of the leaky ReLU is 0.01; group normalization has 32
groups (the default of Wu and He 2018, which the paper cites); the pooling (the paper calls the
network VGG-16 but lists four convolutions alone); f is the activation that both heads read.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

EMOTIONS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised")
FILTERS = (64, 128, 256, 512)
HIDDEN = (512, 128, 32)
GROUPS = 32
SLOPE = 0.01
SIDE = 64


class JointNetwork(nn.Module):
    """images [batch, 3, 64, 64] -> f [batch, 32]; `logits(f, head)` -> [batch, classes].

    heads: classes of each classifier; one before the joint learning, two in it.
    normalization: "group", or "batch" for its twin that the paper argues against.
    """

    def __init__(
        self, heads: Sequence[int] = (len(EMOTIONS),), normalization: str = "group"
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *FILTERS), FILTERS, strict=False):
            norm = (
                nn.GroupNorm(GROUPS, after) if normalization == "group" else nn.BatchNorm2d(after)
            )
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.LeakyReLU(SLOPE),
                norm,
                nn.Dropout(0.5),
                nn.MaxPool2d(2),
            ]
        self.convolutions = nn.Sequential(*layers)
        side = SIDE // 2 ** len(FILTERS)
        dense: list[nn.Module] = [nn.Flatten()]
        for before, after in zip((FILTERS[-1] * side * side, *HIDDEN), HIDDEN, strict=False):
            dense += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
        self.dense = nn.Sequential(*dense)
        self.heads = nn.ModuleList(nn.Linear(HIDDEN[-1], classes) for classes in heads)
        self.apply(_scale_variance)

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(self.convolutions(images))

    def logits(self, features: Tensor, head: int) -> Tensor:
        return self.heads[head](features)

    def chances(self, images: Tensor) -> Tensor:
        """Mean of all heads' softmax, [batch, classes] (open in the paper)."""
        features = self(images)
        return torch.stack([torch.softmax(head(features), 1) for head in self.heads]).mean(dim=0)

    def with_heads(self, heads: Sequence[int]) -> JointNetwork:
        """The same body with these heads; each starts from the first one where that fits."""
        made = JointNetwork(heads)
        made.convolutions.load_state_dict(self.convolutions.state_dict())
        made.dense.load_state_dict(self.dense.state_dict())
        first = self.heads[0]
        for head in made.heads:
            if head.out_features == first.out_features:
                head.load_state_dict(first.state_dict())
        return made

    def fully_connected(self) -> list[nn.Parameter]:
        """What fine-tuning between visual corpora trains."""
        return [*self.dense.parameters(), *self.heads.parameters()]


def _scale_variance(module: nn.Module) -> None:
    """Variance scaling: weights of variance 2 / inputs, as the leaky ReLU wants them."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
        nn.init.zeros_(module.bias)
