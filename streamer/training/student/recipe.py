"""The configuration of a training run, as stored in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streamer.training.student.masked import Masking
from streamer.training.student.network import StudentShape
from streamer.training.student.raw_network import RawShape

TINY, BASE = 384, 512  # widths of the teachers
RAW_HINTS = (
    (0, "tiny", 0, TINY),
    (1, "tiny", TINY, TINY),
    (2, "base", 0, BASE),
    (3, "base", BASE, BASE),
)
HINTS = (*RAW_HINTS[:2], (2, "base", BASE, BASE))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Model, objectives, data and schedule.

    ``hints`` are (block of the student, teacher, first column, width): which block answers which
    slice of which teacher's cached targets; none: nothing is distilled. A batch is ``batch`` crops
    of ``crop_tokens``, or as much sound in crops ``spans`` times as long, where clips are longer.
    ``masked`` weighs the masked objective (0: not used), ``anchor`` the squared distance of the
    student's weights from those that it started from (0: no anchor). ``bfloat16``: matrix products
    in that format, weights and sums in float32. ``heads_first``: steps in which only the heads are
    trained, since heads of random weights would spoil a trained student (Kumar et al. 2022);
    ``context_rate``: the context network's learning rate as a factor of the others'.
    """

    shape: StudentShape = field(default_factory=StudentShape)
    hints: tuple[tuple[int, str, int, int], ...] = HINTS
    skip: tuple[str, ...] = ()
    batch: int = 16
    crop_tokens: int = 72
    spans: tuple[float, ...] = (0.5, 1.0, 2.0)
    steps: int = 4200
    rate: float = 2.5e-3
    warmup: int = 200
    cooldown: float = 0.4
    pooling: float = 0.5
    whitening: float = 0.25
    averaging: float = 0.998
    seed: int = 0
    masked: float = 0.0
    masking: Masking = field(default_factory=Masking)
    anchor: float = 0.0
    bfloat16: bool = True
    heads_first: int = 0
    context_rate: float = 1.0


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, constant, then linear to zero over the last ``cooldown`` of the steps.

    It warms up twice where the heads learn first.
    """
    left = (recipe.steps - step) / max(1.0, recipe.cooldown * recipe.steps)
    since = step - recipe.heads_first if step >= recipe.heads_first else step
    return recipe.rate * min(1.0, (since + 1) / recipe.warmup, left)


def read_recipe(state: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint's ``recipe`` entry was written from."""
    stored = dict(state)
    kind = RawShape if "widths" in stored["shape"] else StudentShape
    stored["shape"] = kind(**{k: _frozen(v) for k, v in stored["shape"].items()})
    stored["masking"] = Masking(**stored["masking"])
    return Recipe(**{name: _frozen(value) for name, value in stored.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
