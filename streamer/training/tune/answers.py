"""Fine-tuning on a profile's answers: emotions by cross-entropy, dimensions by concordance.

    L = CE(soft emotions) + sum_d [ 1 - CCC_d + 0.1 MSE_d ] + L2-SP

over the labels of each clip; the encoder's blocks have a tenth of the heads' learning rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from streamer.training.tune.anchored import AnchoredBlocks
from streamer.training.tune.finetuning import soft_cross_entropy
from streamer.training.tune.tunable import Tunable, padded
from streamer.training.tune.tuning_set import TuningClip
from streamer.types import DIMENSIONS

FEWEST_FOR_CCC = 4


@dataclass(frozen=True, slots=True)
class AnswerRecipe:
    """Adam's rate for the heads; the blocks take `body` of it. anchor: weight of L2-SP."""

    rate: float = 1e-3
    body: float = 0.1
    epochs: int = 12
    batch: int = 16
    anchor: float = 1.0
    mse: float = 0.1
    seed: int = 0


def concordance_loss(said: Tensor, truth: Tensor) -> Tensor:
    """1 - CCC of [n], population moments; zero gradient for constant inputs."""
    off = said.mean() - truth.mean()
    covariance = ((said - said.mean()) * (truth - truth.mean())).mean()
    spread = said.var(correction=0) + truth.var(correction=0) + off**2
    return 1.0 - 2.0 * covariance / (spread + 1e-8)


def tune_to_answers(
    tunable: Tunable,
    clips: list[TuningClip],
    emotions: list[str],
    recipe: AnswerRecipe,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[float]:
    """Train the encoder's blocks in place on answered clips; the mean loss of each epoch.

    emotions: the names that count as classes; a clip with none of them only trains the dimensions.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    heads = nn.Linear(tunable.size, len(emotions) + len(DIMENSIONS))
    blocks = AnchoredBlocks(tunable)
    optimizer = blocks.optimizer(heads.parameters(), recipe.rate, recipe.body)
    affect = torch.from_numpy(np.array([clip.affect for clip in clips], np.float32))
    named = torch.from_numpy(_soft(clips, emotions))
    losses = []
    tunable.train()
    for epoch in range(recipe.epochs):
        total = []
        order = rng.permutation(len(clips))
        for begin in range(0, len(order), recipe.batch):
            rows = torch.from_numpy(order[begin : begin + recipe.batch])
            audio, samples = padded([clips[i].audio for i in rows.tolist()])
            out = heads(tunable.mean_vector(audio, samples))
            loss = answer_loss(out, affect[rows], named[rows], recipe.mse)
            optimizer.zero_grad()
            (loss + 0.5 * recipe.anchor * blocks.distance()).backward()
            nn.utils.clip_grad_norm_(blocks.parameters, 1.0)
            optimizer.step()
            total.append(float(loss.detach()))
        losses.append(float(np.mean(total)))
        progress(epoch + 1, recipe.epochs)
    tunable.eval()
    for parameter in tunable.frozen:
        parameter.requires_grad_(True)
    return losses


def answer_loss(out: Tensor, affect: Tensor, named: Tensor, mse: float) -> Tensor:
    """The loss of a batch. out [n, K + 3]; affect [n, 3], nan where not rated; named [n, K]."""
    kinds = named.shape[1]
    loss = out.sum() * 0.0
    has_name = named.sum(dim=1) > 0
    if kinds > 1 and bool(has_name.any()):
        loss = loss + soft_cross_entropy(out[has_name, :kinds], named[has_name])
    for column in range(affect.shape[1]):
        rated = torch.isfinite(affect[:, column])
        if int(rated.sum()) >= FEWEST_FOR_CCC:
            said, truth = torch.tanh(out[rated, kinds + column]), affect[rated, column]
            loss = loss + concordance_loss(said, truth) + mse * ((said - truth) ** 2).mean()
    return loss


def _soft(clips: list[TuningClip], emotions: list[str]) -> np.ndarray:
    """The fraction of the votes for each emotion, float32 [n, K]; a row of zeros without votes."""
    rows = np.zeros((len(clips), len(emotions)), np.float32)
    for row, clip in zip(rows, clips, strict=True):
        for k, name in enumerate(emotions):
            row[k] = clip.emotions.get(name, 0)
    return rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0)
