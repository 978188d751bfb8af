"""The configuration of a training run, as stored in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streamer.training.student.masked import Masking
from streamer.training.student.network import StudentShape
from streamer.training.student.raw_network import RawShape

HINTS = ((0, "tiny", 0, 384), (1, "tiny", 384, 384), (2, "tiny", 768, 384))
SHARES = (
    ("ravdess", 1.0),
    ("tess", 0.6),
    ("nemo", 1.2),
    ("turev", 0.6),
    ("baved", 0.6),
    ("urdu", 0.5),
    ("plain_resemblyzer", 2.0),
    ("plain_picovoice_s2i", 1.6),
    ("fsdd", 0.15),
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Model, objectives, data and schedule.

    ``hints`` are (block of the student, teacher, first column, width): which block answers which
    slice of which teacher's cached targets; none: nothing is distilled. ``masked`` weighs the
    masked objective (0: not used), ``anchor`` the squared distance of the student's weights from
    those that it started from (0: no anchor).
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
    masked: float = 0.0
    masking: Masking = field(default_factory=Masking)
    anchor: float = 0.0


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, constant, then linear to zero over the last ``cooldown`` of the steps."""
    left = (recipe.steps - step) / max(1.0, recipe.cooldown * recipe.steps)
    return recipe.rate * min(1.0, (step + 1) / recipe.warmup, left)


def read_recipe(state: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint's ``recipe`` entry was written from, today's or an older one."""
    stored = dict(state)
    kind = RawShape if "widths" in stored["shape"] else StudentShape
    stored["shape"] = kind(**{k: _frozen(v) for k, v in stored["shape"].items()})
    stored["masking"] = Masking(**stored.get("masking", {}))
    for name in ("hints", "weights"):
        stored[name] = tuple(tuple(row) for row in stored[name])
    return Recipe(**{**stored, "skip": tuple(stored["skip"])})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
