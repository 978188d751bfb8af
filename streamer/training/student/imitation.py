"""How the raw student begins: with a log-mel student's features, and its context network.

The feature encoder alone learns to give, from samples, what the log-mel student's context network
stands on; no transformer takes part, so a step costs a fraction of one of distillation. The context
network then starts as the log-mel student's; blocks that this one has not are added behind, and do
nothing at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from streamer.training.data.crops import Crops
from streamer.training.data.targets import SAMPLES_PER_TOKEN, Cache
from streamer.training.data.wave_augment import WaveAugmentation
from streamer.training.student.logmel import HOP, LogMel
from streamer.training.student.network import Student
from streamer.training.student.raw_network import RawStudent, level_audio
from streamer.training.student.recipe import Recipe, learning_rate

QUIET = 0.1  # of a levelled clip, as loud as speech is for the log-mel
FEATURE_ENCODER = ("convolutions.", "projection")


def start_from(teacher: Student, student: RawStudent) -> None:
    """Give the raw student, in place, the log-mel student's context network.

    Raises ValueError where their sizes differ.
    """
    ours, theirs = student.shape, teacher.shape
    if (ours.channels, ours.heads, ours.position_kernel) != (
        theirs.channels, theirs.heads, theirs.position_kernel,
    ):  # fmt: skip
        raise ValueError("the students' context networks differ in their sizes: make them alike")
    student.positions.load_state_dict(teacher.positions.state_dict())
    for block, known in zip(student.blocks, teacher.blocks, strict=False):
        block.load_state_dict(known.state_dict())
    with torch.no_grad():
        for block in student.blocks[len(teacher.blocks) :]:
            for layer in (block.out, block.down):
                layer.weight.zero_()
                layer.bias.zero_()


def imitate(
    teacher: Student,
    student: RawStudent,
    cache: Cache,
    recipe: Recipe,
    augment: WaveAugmentation,
    every: int = 100,
) -> Iterator[tuple[int, float]]:
    """Train the student's feature encoder in place; yields (step, mean loss since the line before).

    The loss is the mean square of the difference to the log-mel student's features of the same
    sound, over the clips' own tokens. Of the recipe: skip, batch, crops, steps, rate, seed.
    """
    recipe = replace(recipe, hints=(), shape=student.shape)
    crops, front = Crops(cache, recipe), LogMel()
    rng, losses = np.random.default_rng(recipe.seed), []
    parameters = [p for n, p in student.named_parameters() if n.startswith(FEATURE_ENCODER)]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, betas=(0.9, 0.98), fused=True)
    for step in range(1, recipe.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step - 1)
        batch = crops.draw(recipe.batch, rng)
        assert batch.audio is not None  # the recipe's shape is a raw student's
        samples = batch.tokens * SAMPLES_PER_TOKEN
        heard = augment(batch.audio, samples, rng)
        truth = _features(teacher, front, heard, samples)[:, student.shape.lag :]
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            features, mask = student.features(heard, samples)
        apart = (features.float() - truth[:, : features.shape[1]]) * mask
        loss = (apart * apart).sum() / mask.sum() / features.shape[2]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % every == 0 or step == recipe.steps:
            yield step, float(np.mean(losses))
            losses = []


@torch.no_grad()
def _features(teacher: Student, front: LogMel, heard: Tensor, samples: Tensor) -> Tensor:
    logmel = front(QUIET * level_audio(heard, samples))[:, :-1]
    return teacher.features(logmel, samples // HOP)[0]
