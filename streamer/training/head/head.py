"""The trained emotion head on pooled vectors: linear or with one hidden layer, to unit length.

It is trained by cross-entropy and an episodic loss (losses.py), and does not change ``embedding``.
A linear head gets vectors with the speakers' means subtracted, which commutes with it; one with a
hidden layer gets them unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.head.episodes import Episodes
from streamer.training.student.losses import LOSSES, AngularMarginPrototypical, Softmax

CLASSIFIERS = frozenset({"softmax", "am-softmax", "aam-softmax"})


@dataclass(frozen=True, slots=True)
class HeadRecipe:
    """The hyperparameters of a head.

    ``loss`` is one of losses.LOSSES; ``margin`` (radians; of a cosine in the printed form), where
    given, replaces that of the angular margin prototypical losses and is not learned.
    ``cross_entropy`` weighs the classification loss that goes with the losses over episodes.
    ``hidden`` 0 means a linear head.
    """

    loss: str = "negative-margin"
    margin: float | None = None
    size: int = 128
    hidden: int = 0
    cross_entropy: float = 1.0
    examples: int = 10
    steps: int = 100
    rate: float = 1e-3
    loss_rate: float = 3e-2
    seed: int = 0


class Inputs(Protocol):
    """The head's input for clips by index: [classes, examples] -> input."""

    def __call__(self, numbers: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]: ...


class PooledInputs:
    """Vectors [clips, n], unchanged: [classes, examples, n]."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = torch.from_numpy(vectors.astype(np.float32))

    def __call__(self, numbers: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        return (self.vectors[torch.from_numpy(numbers)],)


class PooledHead(nn.Module):
    """[..., n] -> unit vectors [..., size].

    A linear head starts as the first ``size`` coordinates: give it principal directions, largest
    variance first.
    """

    def __init__(self, inputs: int, size: int, hidden: int = 0) -> None:
        super().__init__()
        if hidden:
            self.layers = nn.Sequential(
                nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(0.2), nn.Linear(hidden, size)
            )
        else:
            self.layers = nn.Linear(inputs, size, bias=False)
            nn.init.eye_(self.layers.weight)

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.normalize(self.layers(vectors), dim=-1)


def train_head(
    head: nn.Module, inputs: Inputs, episodes: Episodes, recipe: HeadRecipe, every: int
) -> Iterator[int]:
    """Train ``head`` in place, one episode per step; yields step 0, then every ``every`` steps."""
    classes, rng = len(episodes.classes), np.random.default_rng(recipe.seed)
    losses, shares = _losses(recipe, classes)
    numbers = torch.arange(classes)
    optimizer = torch.optim.Adam(
        [
            {"params": list(head.parameters()), "lr": recipe.rate},
            {"params": list(losses.parameters()), "lr": recipe.loss_rate},
        ]
    )
    head.eval()
    yield 0
    for step in range(1, recipe.steps + 1):
        head.train()
        vectors = head(*inputs(episodes.draw(rng), rng))
        costs = torch.stack([loss(vectors, numbers) for loss in losses])
        optimizer.zero_grad()
        (costs @ shares).backward()
        nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
        head.eval()
        if step % every == 0:
            yield step


def _losses(recipe: HeadRecipe, classes: int) -> tuple[nn.ModuleList, Tensor]:
    """The recipe's losses and their weights: a classifier alone, or an episode's with softmax."""
    torch.manual_seed(recipe.seed)
    if recipe.margin is None:
        main = LOSSES[recipe.loss](classes, recipe.size)
    else:
        main = AngularMarginPrototypical(recipe.margin, printed=recipe.loss.startswith("printed"))
    if recipe.loss in CLASSIFIERS or not recipe.cross_entropy:
        return nn.ModuleList([main]), torch.ones(1)
    both = nn.ModuleList([main, Softmax(classes, recipe.size)])
    return both, torch.tensor([1.0, recipe.cross_entropy])
