"""AFTER: pretrain on the pool, ask a few clips, fine-tune on them, ask again (Li et al., alg. 1).

    1  W0' <- TAPT(W0, pool)
    2  Q0  <- the clips nearest to k-means centres of the convolutional features, 1 % of N_s
    3  M   <- train([W0', W_c], Q0)
    4  tau times: ask k = floor(N_s / tau) by the strategy, train M on all that is labelled

N_s = share * |pool|. M continues from the previous round; only the optimizer is new.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from streamer.training.tune.choices import PART, begin, choose
from streamer.training.tune.finetuning import (
    ClassificationModel,
    FineTuning,
    dropout_chances,
    logits_of,
    train,
)
from streamer.training.tune.pretraining import Pretraining, TaptRecipe
from streamer.training.tune.tunable import Tunable, masked_mean, padded

Answer = Callable[[int], np.ndarray]
"""A clip of the pool -> the part of the annotators that named each class, [K], of sum 1."""
Validation = tuple[list[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Plan:
    """share: fraction of the pool to be labelled in `rounds`; strategy and start: see `choices`.

    tapt: None omits the pretraining (the ablation of the paper's table 7).
    """

    share: float = 0.2
    rounds: int = 10
    strategy: str = "entropy"
    start: str = "k-means"
    tapt: TaptRecipe | None = field(default_factory=TaptRecipe)
    tuning: FineTuning = field(default_factory=FineTuning)
    passes: int = 10


@dataclass(slots=True)
class Progress:
    """labelled: clips labelled so far, in order; losses: validation losses of the last training."""

    labelled: list[int]
    losses: list[float]
    model: ClassificationModel
    seconds: float


def after(
    tunable: Tunable,
    pool: list[np.ndarray],
    classes: int,
    answer: Answer,
    validation: Validation,
    plan: Plan,
    rng: np.random.Generator,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Run algorithm 1; `report` is called after the start and after each round.

    tunable: trained in place. pool: audio of every clip, float32 [n] at 16 kHz. validation: clips
    and targets for early stopping, never part of the pool.
    """
    began_s = time.monotonic()
    if plan.tapt is not None:
        pretraining = Pretraining(tunable, pool, plan.tapt)
        while pretraining.step < plan.tapt.steps:
            pretraining.advance()
    torch.manual_seed(int(rng.integers(2**31)))
    model = ClassificationModel(tunable, classes)
    wanted = max(plan.rounds, round(plan.share * len(pool)))
    count = max(1, wanted // plan.rounds)
    first = max(1, round(PART * wanted)) if plan.share < 1.0 else 1
    first = max(first, min(classes, wanted))
    chances = torch.softmax(logits_of(model, pool), 1).numpy()
    labelled = begin(plan.start, convolutional(tunable, pool), chances, first, rng)
    targets = {i: answer(i) for i in labelled}
    progress = Progress(labelled, [], model, 0.0)
    for turn in range(plan.rounds + 1):
        if turn:
            left = sorted(set(range(len(pool))) - set(labelled))
            clips = [pool[i] for i in left]
            chosen = _asked(plan, model, clips, count, rng)
            for i in (left[k] for k in chosen):
                labelled.append(i)
                targets[i] = answer(i)
        rows = np.stack([targets[i] for i in labelled])
        tuning = np.random.default_rng(int(rng.integers(2**31)))
        progress.losses = train(
            model, [pool[i] for i in labelled], rows, validation, plan.tuning, tuning
        )
        progress.seconds = time.monotonic() - began_s
        report(progress)
    return progress


def _asked(
    plan: Plan,
    model: ClassificationModel,
    clips: list[np.ndarray],
    count: int,
    rng: np.random.Generator,
) -> list[int]:
    if plan.strategy == "random":
        return choose("random", np.zeros((len(clips), 1)), np.zeros((0, 0)), count, rng)
    chances = torch.softmax(logits_of(model, clips), 1).numpy().astype(np.float64)
    features, drawn = np.zeros((len(clips), 0)), None
    if plan.strategy == "alps":
        features = contextual(model.tunable, clips)
    if plan.strategy == "batchbald":
        seed = int(rng.integers(2**31))
        drawn = dropout_chances(model, clips, plan.passes, seed).astype(np.float64)
    return choose(plan.strategy, chances, features, count, rng, drawn)


@torch.no_grad()
def convolutional(tunable: Tunable, clips: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over time of each clip's convolutional features, float64 [clips, c]."""
    tunable.eval()
    rows = [masked_mean(*tunable.features(*padded([clip]))) for clip in clips]
    return torch.cat(rows).numpy().astype(np.float64)


@torch.no_grad()
def contextual(tunable: Tunable, clips: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over time of each clip's context, float64 [clips, c]."""
    tunable.eval()
    rows = [tunable.mean_vector(*padded([clip])) for clip in clips]
    return torch.cat(rows).numpy().astype(np.float64)


def copied(tunable: Tunable) -> Tunable:
    """An independent copy, to start several runs from one encoder."""
    return copy.deepcopy(tunable)
