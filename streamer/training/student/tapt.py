"""Task-adaptive pretraining: adapt a student to a user's own recordings, without labels.

The masked objective of ``masked`` (AFTER: Li et al. 2024, Active Learning with Task Adaptation
Pre-training for Speech Emotion Recognition), on any folder of audio. To avoid catastrophic
forgetting, the weights are regularized towards their initial values: L2-SP (Li, Grandvalet and
Davoine 2018, Explicit Inductive Bias for Transfer Learning with Convolutional Networks).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from streamer.training.data.targets import Cache, write_audio, write_mel
from streamer.training.student.distill import Run, load_distiller, train
from streamer.training.student.raw_network import RawShape
from streamer.training.student.recipe import Recipe, read_recipe

RATE = 5e-4
ANCHOR = 1.0


def adapt(
    speech: Path,
    folder: Path,
    start: Path | None,
    steps: int,
    seed: int = 0,
    anchor: float = ANCHOR,
    save_every: int = 100,
    log_every: int = 50,
) -> Iterator[int]:
    """Adapt a student to the speech in a folder, yielding the step after each checkpoint.

    ``start`` is the checkpoint to start from (None: random weights, without an anchor). The folder
    gets ``cache``, ``checkpoint.pt`` and ``log.jsonl``; where it has a checkpoint already, the run
    resumes from it bit for bit, and ``start`` is not read again. Raises FileNotFoundError or
    ValueError where there is no speech, or no start.
    """
    checkpoint = folder / "checkpoint.pt"
    weights = None
    if checkpoint.is_file():
        recipe = read_recipe(torch.load(checkpoint, weights_only=True)["recipe"])
        recipe = replace(recipe, steps=steps)
    elif start is None:
        recipe = tapt_recipe(Recipe(), steps, seed, 0.0)
    else:
        model, before = load_distiller(start)
        recipe = tapt_recipe(before, steps, seed, anchor)
        weights = model.student.state_dict()
    run = Run(recipe, open_cache(speech, folder / "cache", recipe), weights)
    if checkpoint.is_file():
        run.restore(checkpoint)
    yield from train(run, checkpoint, folder / "log.jsonl", save_every, log_every)


def tapt_recipe(before: Recipe, steps: int, seed: int, anchor: float) -> Recipe:
    """The masked objective only, on the student of an earlier recipe, with equal corpus weights."""
    return Recipe(
        shape=before.shape,
        hints=(),
        steps=steps,
        rate=RATE,
        warmup=max(1, min(100, steps // 10)),
        seed=seed,
        masked=1.0,
        masking=before.masking,
        anchor=anchor,
    )


def open_cache(speech: Path, folder: Path, recipe: Recipe) -> Cache:
    """The run's cache of the speech, created if missing."""
    if not (folder / "clips.json").is_file():
        write_mel(speech, folder, copies=())
    if isinstance(recipe.shape, RawShape) and not (folder / "audio.i16").is_file():
        write_audio(speech, folder, copies=())
    return Cache.open(folder)
