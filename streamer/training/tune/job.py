"""A complete, resumable tuning, from kept audio to a written encoder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from streamer.encoders.registry import EncoderRow
from streamer.errors import UsageError
from streamer.system import make_private_folder, write_private
from streamer.training.tune.answers import AnswerRecipe, tune_to_answers
from streamer.training.tune.gate import (
    FEWEST_ANSWERED,
    Comparison,
    Figure,
    held_out_count,
    judge,
)
from streamer.training.tune.pretraining import Pretraining, TaptRecipe
from streamer.training.tune.tunable import TunableStudent
from streamer.training.tune.tuning_set import TuningClip, TuningSet
from streamer.training.tune.writing import vectors_of, write_tuned

FEWEST_TAUGHT = 40
SAVE_EVERY = 25

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """labels:

    None to use labels if there are enough. folder: of the models; name: of the new one.
    """

    folder: Path
    name: str
    tapt: TaptRecipe
    answers: AnswerRecipe
    labels: bool | None = None

    @property
    def state(self) -> Path:
        """The folder of the unfinished work."""
        return self.folder / f".tuning-{self.name}"


def check_answers(tuning_set: TuningSet) -> None:
    """Raises UsageError where too few labelled clips have audio for the acceptance test."""
    answered = len(tuning_set.answered)
    if answered < FEWEST_ANSWERED:
        raise UsageError(
            f"{answered} answered clips with audio, {FEWEST_ANSWERED} judge a tuning: answer more "
            "questions of `streamer run --privacy everything`, or of `streamer run "
            "--keep-for-tuning`"
        )


def training_clips(tuning_set: TuningSet, labels: bool | None) -> list[TuningClip]:
    """The older labelled clips, if they are trained on: see `TuningPlan.labels`."""
    answered = tuning_set.answered
    if labels is False or (labels is None and len(answered) < FEWEST_TAUGHT):
        return []
    return answered[: len(answered) - held_out_count(len(answered))]


def tune(
    encoder: EncoderRow,
    tuning_set: TuningSet,
    plan: TuningPlan,
    progress: Progress,
    corpus: Callable[[TunableStudent], float] | None = None,
) -> Comparison:
    """Pretrain, fine-tune, compare; the encoder is written only if the comparison accepts it.

    corpus: the UAR of a student on the safeguard corpus, if one is named.
    """
    make_private_folder(plan.state)
    torch.manual_seed(plan.tapt.seed)
    tunable = TunableStudent.from_onnx(encoder.path)
    audio = [clip.audio for clip in tuning_set.clips]
    before = vectors_of(tunable, audio)
    lost_before = None if corpus is None else corpus(tunable)
    _pretrain(tunable, audio, plan, _head(encoder, audio, plan), progress)
    taught = training_clips(tuning_set, plan.labels)
    if taught:
        tune_to_answers(
            tunable,
            taught,
            tuning_set.emotions,
            plan.answers,
            lambda done, total: progress("answers", done, total),
        )
    after = vectors_of(tunable, audio)
    place = {id(clip): i for i, clip in enumerate(tuning_set.clips)}
    answered = tuning_set.answered
    rows = [place[id(clip)] for clip in answered]
    found = judge(
        before[0][rows],
        after[0][rows],
        (before[0], after[0]),
        answered,
        np.random.default_rng(plan.tapt.seed),
    )
    if corpus is not None and lost_before is not None:
        kept = corpus(tunable)
        found = replace(found, corpus=Figure(lost_before, kept, float(kept >= lost_before)))
    if found.keeps:
        write_tuned(tunable, encoder, plan.folder, plan.name, (before, after), tuning_set.speech_s)
    shutil.rmtree(plan.state, ignore_errors=True)
    return found


def _pretrain(
    tunable: TunableStudent,
    audio: list[np.ndarray],
    plan: TuningPlan,
    head: dict[str, Any],
    progress: Progress,
) -> None:
    """All steps of the pretraining, from the last checkpoint."""
    run = Pretraining(tunable, audio, plan.tapt)
    kept, about = plan.state / "state.pt", plan.state / "about.json"
    if kept.is_file() and about.is_file() and json.loads(about.read_text("utf-8")) == head:
        run.restore(torch.load(kept, weights_only=True))
    write_private(about, json.dumps(head).encode())
    progress("pretraining", run.step, plan.tapt.steps)
    while run.step < plan.tapt.steps:
        run.advance()
        progress("pretraining", run.step, plan.tapt.steps)
        if run.step % SAVE_EVERY == 0 or run.step == plan.tapt.steps:
            partial = kept.with_suffix(".part")
            torch.save(run.state(), partial)
            partial.replace(kept)


def _head(encoder: EncoderRow, audio: list[np.ndarray], plan: TuningPlan) -> dict[str, Any]:
    """What must be equal to resume: the encoder, the audio and the recipe."""
    digest = hashlib.sha256()
    for clip in audio:
        digest.update(np.ascontiguousarray(clip).tobytes())
    recipe = {**asdict(plan.tapt), "steps": 0}  # more steps may be asked for
    return {"encoder": encoder.sha256, "audio": digest.hexdigest(), "recipe": recipe}
