"""Losses of the emotion head: of classification, and of episodes with prototypes.

Every loss takes an episode, unit vectors [classes, examples, d] and the classes' numbers [classes],
and gives a scalar. theta(a, b) is the angle between two vectors; y is the class of a vector x.

With a learned weight W_k for every class of the training set:

    softmax                    -log softmax_y(W_k . x + b_k)
    additive margin (AM)       -log softmax_y(s (cos theta(x, W_k) - m [k = y]))
                               Wang et al. 2018, eq. 6
    additive angular (AAM)     -log softmax_y(s cos(theta(x, W_k) + m [k = y]))
                               Deng et al. 2019, eq. 3

Without: a vector is compared with the episode's other vectors, or with prototypes c_k, the mean of
a class's vectors, of its own class without itself.

    triplet                    mean max(0, |x - p|^2 - |x - n|^2 + m), Schroff et al. 2015, eq. 3,
                               p of the same class, n the nearest of any other
    prototypical               -log softmax_y(-|x - c_k|^2)                Snell et al. 2017, eq. 2
    angular prototypical       -log softmax_y(w cos theta(x, c_k) + b)     Chung et al. 2020, eq. 8
    angular margin prototypical (AMP)
                               -log softmax_y(w cos(theta(x, c_k) + m [k = y]))
                               Li and Lee, eqs 2-5, w > 0

    as it is printed           -log softmax_y(w (cos theta(x, c_k) + m [k = y]))
                               Li and Lee, eq. 4

With m < 0 the last two are *negative* (NAMP), and opposites: in the first the own class gets an
angle as a bonus, as the paper's text says ("penalize the over-discriminated decision boundaries"),
so that seen classes stay wide and leave room for unseen ones. In the printed equation the own class
is charged |m|, as AM-softmax charges its positive margin. Which of the two gave the paper's results
cannot be told from it; `docs/reproduction.md` has both.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_SCALE = 1e-6
NEARLY_ONE = 1.0 - 1e-6


class Softmax(nn.Module):
    """Cross-entropy of a linear layer's answers."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size, classes)

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        return _cross_entropy(self.layer(vectors), numbers)


class MarginSoftmax(nn.Module):
    """AM-softmax, or with ``angular`` AAM-softmax, scale s and margin m."""

    def __init__(
        self, classes: int, size: int, margin: float, angular: bool, scale: float = 15.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, size) / math.sqrt(size))
        self.margin, self.angular, self.scale = margin, angular, scale

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        cosine = vectors @ functional.normalize(self.weight, dim=1).T
        own = functional.one_hot(numbers, len(self.weight))[:, None].bool()
        changed = turn(cosine, self.margin) if self.angular else cosine - self.margin
        return _cross_entropy(self.scale * torch.where(own, changed, cosine), numbers)


class Triplet(nn.Module):
    """Every pair of one class against the nearest vector of another class."""

    def __init__(self, margin: float = 0.3) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        classes, examples, size = vectors.shape
        flat = vectors.reshape(classes * examples, size)
        # |a - b|^2 = 2 - 2 a.b for unit vectors.
        squared = 2.0 - 2.0 * flat @ flat.T
        label = numbers.repeat_interleave(examples)
        same = label[:, None] == label[None, :]
        nearest = squared.masked_fill(same, math.inf).amin(dim=1, keepdim=True)
        pair = same & ~torch.eye(len(flat), dtype=torch.bool, device=flat.device)
        return functional.relu(squared - nearest + self.margin)[pair].mean()


class Prototypical(nn.Module):
    """Squared distances to prototypes."""

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        others, own = prototypes(vectors)
        apart = ((vectors[:, :, None] - others) ** 2).sum(dim=3)
        return _episode_entropy(-_with_own(apart, ((vectors - own) ** 2).sum(dim=2)))


class AngularPrototypical(nn.Module):
    """w cos + b to prototypes, both learned, w > 0."""

    def __init__(self, scale: float = 10.0, offset: float = -5.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.offset = nn.Parameter(torch.tensor(offset))

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        cosine, own = prototype_cosines(vectors)
        scale = self.scale.clamp_min(SMALLEST_SCALE)
        return _episode_entropy(scale * _with_own(cosine, own) + self.offset)


class AngularMarginPrototypical(nn.Module):
    """w cos(theta + m) to the own prototype, w cos(theta) to the others; w is learned, w > 0.

    ``margin`` m is in radians; below zero this is NAMP. With ``printed`` the own similarity is
    w (cos theta + m), as equation 4 prints it, m in units of a cosine. With ``learned`` the margin
    is learned too, and held below 0: m = -softplus(v), which starts at ``margin``.
    """

    def __init__(
        self, margin: float, scale: float = 10.0, *, printed: bool = False, learned: bool = False
    ) -> None:
        super().__init__()
        if learned and not margin < 0.0:
            raise ValueError(f"margin = {margin} to start from: a learned one is held below 0")
        self.printed = printed
        self.scale = nn.Parameter(torch.tensor(scale))
        self.fixed = margin
        # The inverse of softplus, so that the first margin is the one that was given.
        self.raw = nn.Parameter(torch.tensor(math.log(math.expm1(-margin)))) if learned else None

    @property
    def margin(self) -> Tensor:
        if self.raw is None:
            return self.scale.new_tensor(self.fixed)
        return -functional.softplus(self.raw)

    def forward(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        cosine, own = prototype_cosines(vectors)
        scale = self.scale.clamp_min(SMALLEST_SCALE)
        moved = own + self.margin if self.printed else turn(own, self.margin)
        return _episode_entropy(scale * _with_own(cosine, moved))


def prototypes(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Means of each class [classes, d], and for each vector that of its class without it.

    The second is [classes, examples, d]; there must be two examples of a class at least.
    """
    examples = vectors.shape[1]
    total = vectors.sum(dim=1)
    return total / examples, (total[:, None] - vectors) / (examples - 1)


def prototype_cosines(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines to all prototypes [classes, examples, classes], and to the own without oneself."""
    others, own = prototypes(vectors)
    return (
        vectors @ functional.normalize(others, dim=1).T,
        (vectors * functional.normalize(own, dim=2)).sum(dim=2),
    )


def turn(cosine: Tensor, margin: Tensor | float) -> Tensor:
    """cos(theta + margin) from cos(theta), theta + margin held within [0, pi], where cos falls."""
    theta = torch.acos(cosine.clamp(-NEARLY_ONE, NEARLY_ONE))
    return torch.cos((theta + margin).clamp(0.0, math.pi))


def _with_own(values: Tensor, own: Tensor) -> Tensor:
    """[classes, examples, classes] with the own class's column replaced by [classes, examples]."""
    mine = torch.eye(len(values), dtype=torch.bool, device=values.device)[:, None]
    return torch.where(mine, own[:, :, None], values)


def _episode_entropy(scores: Tensor) -> Tensor:
    return _cross_entropy(scores, torch.arange(len(scores), device=scores.device))


def _cross_entropy(scores: Tensor, numbers: Tensor) -> Tensor:
    """Scores [classes, examples, k], the classes' columns [classes]: mean negative log-chance."""
    label = numbers[:, None].expand(scores.shape[:2])
    return functional.cross_entropy(scores.flatten(0, 1), label.flatten())


LOSSES: dict[str, Callable[[int, int], nn.Module]] = {
    "softmax": Softmax,
    "am-softmax": lambda classes, size: MarginSoftmax(classes, size, 0.2, angular=False),
    "aam-softmax": lambda classes, size: MarginSoftmax(classes, size, 0.2, angular=True),
    "triplet": lambda classes, size: Triplet(),
    "prototypical": lambda classes, size: Prototypical(),
    "angular-prototypical": lambda classes, size: AngularPrototypical(),
    "positive-margin": lambda classes, size: AngularMarginPrototypical(0.2),
    "negative-margin": lambda classes, size: AngularMarginPrototypical(-0.2),
    "learned-margin": lambda classes, size: AngularMarginPrototypical(-0.2, learned=True),
    "printed-margin": lambda classes, size: AngularMarginPrototypical(-0.2, printed=True),
    "printed-learned-margin": lambda classes, size: AngularMarginPrototypical(
        -0.2, printed=True, learned=True
    ),
}
