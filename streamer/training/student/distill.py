"""Distillation.

From an augmented crop, the student predicts the teacher's output for the clean one.

Loss, per teacher layer k, over the crop's own tokens t (targets y standardized and half-whitened):

    L = mean_k [ mean_t smooth_l1(a_k,t; y_k,t) + pooling * smooth_l1(P mean_t a_k; P mean_t y_k) ]

where a_k = head_k(the student's block for k).

The first term is the hint of FitNets (Romero et al. 2015) and DistilHuBERT (Chang et al. 2022). The
second is added because clips are compared by their means, whose differences are small compared with
those between phones; P standardizes them over clips. (It omits the deviation over time, which
conflicts with the first term: a least-squares prediction varies less than its target.)

Half-whitening: y = (x - mean) V diag(lambda)^(-1/4), with V, lambda the principal axes of the
standardized features, so that directions of small variance, which carry emotion, are not dominated
by large ones.

A recipe may add the masked objective (see ``masked``), in the same pass: the student then predicts
the teacher's outputs with part of its input masked. Without hints it is the only objective.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.data.augment import Augmentation
from streamer.training.data.crops import Batch, Crops
from streamer.training.data.targets import MEL_PER_TOKEN, SAMPLES_PER_TOKEN, Cache
from streamer.training.data.wave_augment import WaveAugmentation
from streamer.training.student.masked import MaskedPrediction
from streamer.training.student.network import Student, StudentShape, to_rate
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.student.recipe import Recipe, learning_rate, read_recipe

ESTIMATED = 1_500  # crops


def new_student(shape: StudentShape) -> Student | RawStudent:
    """A student of that shape, with random weights."""
    return RawStudent(shape) if isinstance(shape, RawShape) else Student(shape)


class Target(nn.Module):
    """One hint's fixed transforms, estimated on the cache, and the head that predicts it."""

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
        answer = self.head(hidden).float()
        truth = self.whiten(raw[:, : hidden.shape[1]])
        frames = (
            functional.smooth_l1_loss(answer, truth, reduction="none").mean(2) * mask[:, :, 0]
        ).sum()
        clips = functional.smooth_l1_loss(
            self.clip_vector(answer, mask), self.clip_vector(truth, mask)
        )
        return frames / mask.sum(), clips


class Distiller(nn.Module):
    """A student, a target for each of the recipe's hints, and the heads of the masked objective."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.student = new_student(recipe.shape)
        self.targets = nn.ModuleList(Target(recipe.shape.channels, h[3]) for h in recipe.hints)
        self.masked = MaskedPrediction(recipe.shape, recipe.masking) if recipe.masked else None

    def forward(
        self, heard: Tensor, lengths: Tensor, batch: Batch, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """What the student hears of the batch, changed or not -> the losses that the recipe names.

        heard is log-mel or audio, as the student takes it, and lengths counts its valid frames or
        samples; rng draws what to hide.
        """
        features, mask = self.student.features(heard, lengths)
        losses = {}
        lag = self.recipe.shape.lag
        if self.masked is None:
            hidden = self.student.context(features, mask)
        else:
            spans = self.masked.draw(mask, rng)
            hidden = self.student.context(self.masked.hide(features, spans), mask)
            losses["contrast_loss"], losses["rebuilt_loss"] = self.masked.losses(
                features, hidden[-1], spans, mask, batch.logmel[:, lag * MEL_PER_TOKEN :]
            )
        if self.recipe.hints:
            each = SAMPLES_PER_TOKEN // self.recipe.shape.hop
            slow = [to_rate(x, mask, each) for x in hidden]
            parts = [
                target.losses(slow[hint[0]][0], x[:, lag:], slow[hint[0]][1])
                for hint, target, x in zip(self.recipe.hints, self.targets, batch.raw, strict=True)
            ]
            frame, clip = zip(*parts, strict=True)
            losses["frame_loss"] = torch.stack(frame).mean()
            losses["clip_loss"] = torch.stack(clip).mean()
        return losses

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The recipe's weighted sum of its losses."""
        recipe, total = self.recipe, torch.zeros(())
        if recipe.hints:
            total = losses["frame_loss"] + recipe.pooling * losses["clip_loss"]
        if recipe.masked:
            rebuilt = recipe.masking.reconstruction * losses["rebuilt_loss"]
            total = total + recipe.masked * (losses["contrast_loss"] + rebuilt)
        return total


class Run:
    """A training run that can stop after any step and resume from its checkpoint bit for bit.

    ``start`` are the student's first weights (a state dict); random ones where it is None. They are
    stored in the checkpoint where the recipe anchors the student to them.
    """

    def __init__(
        self,
        recipe: Recipe,
        cache: Cache,
        start: dict[str, Tensor] | None = None,
        wave_augment: WaveAugmentation | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.crops = recipe, Crops(cache, recipe)
        self.rng, self.step = np.random.default_rng(recipe.seed), 0
        self.augment, self.wave_augment = Augmentation(), wave_augment or WaveAugmentation()
        self.model = Distiller(recipe)
        self._estimate_targets()
        if start is not None:
            self.model.student.load_state_dict(start)
        self.anchor = [p.detach().clone() for p in self._anchored()]
        self.average = copy.deepcopy(self.model)
        groups = _groups(self.model, recipe)
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), fused=True)

    def _anchored(self) -> list[nn.Parameter]:
        return list(self.model.student.parameters()) if self.recipe.anchor else []

    def _estimate_targets(self) -> None:
        if not self.recipe.hints:
            return
        rng = np.random.default_rng(1)
        crops: list[list[Tensor]] = [[] for _ in self.recipe.hints]
        while len(crops[0]) < ESTIMATED:
            batch = self.crops.draw(self.recipe.batch, rng)
            for kept, values in zip(crops, batch.raw, strict=True):
                kept.extend(x[:n] for x, n in zip(values, batch.tokens.tolist(), strict=True))
        for target, kept in zip(self.model.targets, crops, strict=True):
            target.estimate(kept, self.recipe.whitening)

    def _hear(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The batch as the student takes it, changed, and its valid frames or samples."""
        if batch.audio is None:
            return self.augment(batch.logmel, self.rng), batch.tokens * MEL_PER_TOKEN
        samples = batch.tokens * SAMPLES_PER_TOKEN
        return self.wave_augment(batch.audio, samples, self.rng), samples

    def advance(self) -> dict[str, float]:
        """One step; its losses."""
        rate = learning_rate(self.recipe, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["part"]
        self.model.student.requires_grad_(self.step >= self.recipe.heads_first)
        batch = self.crops.draw(self.recipe.batch, self.rng)
        heard, lengths = self._hear(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            losses = self.model(heard, lengths, batch, self.rng)
        total = self.model.total(losses)
        if self.anchor:
            # L2-SP: Li, Grandvalet and Davoine 2018.
            pairs = zip(self._anchored(), self.anchor, strict=True)
            losses["anchor_loss"] = torch.stack([((p - a) ** 2).sum() for p, a in pairs]).sum()
            total = total + 0.5 * self.recipe.anchor * losses["anchor_loss"]
        self.optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(self.recipe.averaging, self.step / (self.step + 10.0))
        with torch.no_grad():
            for slow, fast in zip(self.average.parameters(), self.model.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - keep)
        return {**{name: float(loss.detach()) for name, loss in losses.items()}, "rate": rate}

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "anchor": self.anchor,
        }
        partial = path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(path)

    def restore(self, path: Path) -> None:
        """Resume from a checkpoint of the same recipe."""
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.anchor = state.get("anchor", [])


def _groups(model: Distiller, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters by weight decay, which vectors are spared, and by their part of the rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        in_context = name.startswith(("student.blocks.", "student.positions."))
        part = recipe.context_rate if in_context else 1.0
        groups.setdefault((0.01 if parameter.ndim > 1 else 0.0, part), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "part": part}
        for (decay, part), parameters in groups.items()
    ]


def load_distiller(path: Path) -> tuple[Distiller, Recipe]:
    """The averaged weights of a checkpoint, for inference."""
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
    """Train to the recipe's end, yielding the step after each checkpoint; mean losses are logged.

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
