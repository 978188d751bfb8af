"""Distillation: the student hears a changed crop and answers as the teacher did to the clean one.

Loss, per teacher layer k, over the crop's own tokens t (targets y standardized and half-whitened):

    L = mean_k [ mean_t smooth_l1(a_k,t; y_k,t) + pooling * smooth_l1(P mean_t a_k; P mean_t y_k) ]

where a_k = head_k(the student's block for k).

The first term is the hint of FitNets (Romero et al. 2015) and DistilHuBERT (Chang et al. 2022). The
second is there because clips are compared by their means, whose differences are small beside those
between sounds; P standardizes them over clips. (The deviation over time is left out of it: asking
for it fights the first term, whose best answer always varies less than the truth.)

Half-whitening: y = (x - mean) V diag(lambda)^(-1/4), with V, lambda the principal axes of the
standardized features, so that quiet directions, where emotion lies, are not drowned by the loud.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.augment import Augmentation
from streamer.training.student import Student, StudentShape
from streamer.training.targets import MEL_PER_TOKEN, SILENT, Cache

HINTS = ((0, "tiny", 0, 384), (1, "tiny", 384, 384), (2, "tiny", 768, 384))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a run, kept in its checkpoint.

    ``hints`` are (block of the student, teacher, first column, width): which block answers which
    slice of which teacher's cached targets.
    """

    shape: StudentShape = field(default_factory=StudentShape)
    hints: tuple[tuple[int, str, int, int], ...] = HINTS
    skip: tuple[str, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    batch: int = 16
    crop_tokens: int = 64
    steps: int = 4200
    rate: float = 2.5e-3
    warmup: int = 200
    cooldown: float = 0.35
    pooling: float = 0.5
    whitening: float = 0.25
    averaging: float = 0.998
    seed: int = 0


class Target(nn.Module):
    """One hint's fixed transforms, estimated on the cache, and the head that answers it."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(channels, width)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("axes", torch.zeros(width, width))
        self.register_buffer("clip_mean", torch.zeros(width))
        self.register_buffer("clip_deviation", torch.ones(width))

    @torch.no_grad()
    def estimate(self, crops: list[Tensor], power: float) -> None:
        """Fit the transforms to crops of raw targets, each [tokens, width]."""
        flat = torch.cat(crops)
        self.mean.copy_(flat.mean(0))
        deviation = flat.std(0)
        values, vectors = torch.linalg.eigh(torch.corrcoef(flat.T))
        self.axes.copy_(vectors * values.clamp_min(1e-4) ** -power / deviation[:, None])
        means = torch.stack([self.whiten(crop).mean(0) for crop in crops])
        self.clip_mean.copy_(means.mean(0))
        self.clip_deviation.copy_(means.std(0))

    def whiten(self, raw: Tensor) -> Tensor:
        return (raw - self.mean) @ self.axes

    def clip_vector(self, x: Tensor, mask: Tensor) -> Tensor:
        mean = (x * mask).sum(dim=1) / mask.sum(dim=1)
        return (mean - self.clip_mean) / self.clip_deviation

    def losses(self, hidden: Tensor, raw: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mean losses over the batch's own tokens, and over its clips' means."""
        answer, truth = self.head(hidden), self.whiten(raw)
        frames = (
            functional.smooth_l1_loss(answer, truth, reduction="none").mean(2) * mask[:, :, 0]
        ).sum()
        clips = functional.smooth_l1_loss(
            self.clip_vector(answer, mask), self.clip_vector(truth, mask)
        )
        return frames / mask.sum(), clips


class Distiller(nn.Module):
    """A student and one target for each of the recipe's hints."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.hints = recipe.hints
        self.student = Student(recipe.shape)
        self.targets = nn.ModuleList(Target(recipe.shape.channels, h[3]) for h in recipe.hints)

    def forward(self, logmel: Tensor, frames: Tensor, raw: list[Tensor]) -> tuple[Tensor, Tensor]:
        hidden, mask = self.student(logmel, frames)
        parts = [
            target.losses(hidden[hint[0]], x, mask)
            for hint, target, x in zip(self.hints, self.targets, raw, strict=True)
        ]
        frame, clip = zip(*parts, strict=True)
        return torch.stack(frame).mean(), torch.stack(clip).mean()


class Crops:
    """Draws batches of crops from a cache: corpora by weight, clips evenly, places evenly."""

    def __init__(self, cache: Cache, recipe: Recipe) -> None:
        self.recipe, self.cache = recipe, cache
        self.mel = cache.mel()
        self.teachers = {name: cache.teacher(name) for name in {h[1] for h in recipe.hints}}
        weights = dict(recipe.weights)
        kept = [i for i, c in enumerate(cache.clips) if c.corpus not in recipe.skip]
        if not kept:
            raise ValueError(f"no clips are left after skipping {', '.join(recipe.skip)}")
        corpora = np.array([cache.clips[i].corpus for i in kept])
        self.kept = np.array(kept)
        share = np.array([weights.get(c, 1.0) / (corpora == c).sum() for c in np.unique(corpora)])
        self.chances = share[np.searchsorted(np.unique(corpora), corpora)]
        self.chances /= self.chances.sum()

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[Tensor]]:
        """logmel [size, frames, 80], valid frames [size], raw targets of each hint."""
        length = self.recipe.crop_tokens
        logmel = torch.full((size, length * MEL_PER_TOKEN, self.mel.shape[1]), SILENT)
        frames = torch.zeros(size, dtype=torch.long)
        raw = [torch.zeros(size, length, hint[3]) for hint in self.recipe.hints]
        for row, i in enumerate(rng.choice(self.kept, size, p=self.chances)):
            start, end = int(self.cache.offsets[i]), int(self.cache.offsets[i + 1])
            start += int(rng.integers(0, max(1, end - start - length + 1)))
            count = min(length, end - start)
            heard = self.mel[start * MEL_PER_TOKEN : (start + count) * MEL_PER_TOKEN]
            logmel[row, : len(heard)] = torch.from_numpy(heard.astype(np.float32))
            frames[row] = len(heard)
            for values, (_, name, first, width) in zip(raw, self.recipe.hints, strict=True):
                said = self.teachers[name][start : start + count, first : first + width]
                values[row, :count] = torch.from_numpy(said.astype(np.float32))
        return logmel, frames, raw


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, constant, then linear to zero over the last ``cooldown`` of the steps."""
    left = (recipe.steps - step) / max(1.0, recipe.cooldown * recipe.steps)
    return recipe.rate * min(1.0, (step + 1) / recipe.warmup, left)


class Run:
    """A training run that can stop after any step and go on from its checkpoint, bit for bit."""

    def __init__(self, recipe: Recipe, cache: Cache) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.crops = recipe, Crops(cache, recipe)
        self.rng, self.step, self.augment = np.random.default_rng(recipe.seed), 0, Augmentation()
        self.model = Distiller(recipe)
        self._estimate_targets()
        self.average = copy.deepcopy(self.model)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))

    def _estimate_targets(self) -> None:
        _, frames, raw = self.crops.draw(1500, np.random.default_rng(1))
        counts = [-(-int(n) // MEL_PER_TOKEN) for n in frames]
        for target, values in zip(self.model.targets, raw, strict=True):
            target.estimate(
                [x[:n] for x, n in zip(values, counts, strict=True) if n > 4], self.recipe.whitening
            )

    def advance(self) -> dict[str, float]:
        """One step; its losses."""
        rate = learning_rate(self.recipe, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logmel, frames, raw = self.crops.draw(self.recipe.batch, self.rng)
        frame, clip = self.model(self.augment(logmel, self.rng), frames, raw)
        self.optimizer.zero_grad()
        (frame + self.recipe.pooling * clip).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(self.recipe.averaging, self.step / (self.step + 10.0))
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        return {
            "frame_loss": float(frame.detach()),
            "clip_loss": float(clip.detach()),
            "rate": rate,
        }

    def save(self, path: Path) -> None:
        """Write the checkpoint whole or not at all."""
        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
        }
        partial = path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint of this same recipe."""
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])


def read_recipe(state: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint's ``recipe`` entry was written from."""
    stored = dict(state)
    stored["shape"] = StudentShape(**stored["shape"])
    for name in ("hints", "weights"):
        stored[name] = tuple(tuple(row) for row in stored[name])
    return Recipe(**{**stored, "skip": tuple(stored["skip"])})


def load_distiller(path: Path) -> tuple[Distiller, Recipe]:
    """The averaged weights of a checkpoint, ready to be used."""
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}: make one with the verb 'distill'")
    state = torch.load(path, weights_only=True)
    recipe = read_recipe(state["recipe"])
    model = Distiller(recipe)
    model.load_state_dict(state["average"])
    return model.eval(), recipe


def train(
    run: Run, checkpoint: Path, log: Path, save_every: int = 200, log_every: int = 50
) -> Iterator[int]:
    """Step to the recipe's end, yielding the step after each checkpoint; mean losses go to the log.

    The log is a file of JSON lines: step, the losses since the line before, rate, seconds a step.
    """
    began_s = time.monotonic()
    losses: list[dict[str, float]] = []
    while run.step < run.recipe.steps:
        losses.append(run.advance())
        if run.step % log_every == 0:
            means = {
                name: round(sum(x[name] for x in losses) / len(losses), 6) for name in losses[0]
            }
            pace_s = (time.monotonic() - began_s) / len(losses)
            with log.open("a", encoding="utf-8") as lines:
                row = {"step": run.step, **means, "step_s": round(pace_s, 3)}
                lines.write(json.dumps(row) + "\n")
            losses, began_s = [], time.monotonic()
        if run.step % save_every == 0 or run.step == run.recipe.steps:
            run.save(checkpoint)
            yield run.step
