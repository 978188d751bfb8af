"""Model selection of the emotion head on held-out emotions and speakers.

Candidates are the two closed forms and a head trained on top of the second, evaluated at regular
steps (early stopping). The one with the best mean over both protocols of `head.trials` is fitted
again on all trainable clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from streamer.training.data.speech import Clip
from streamer.training.export.projection import Affine
from streamer.training.head.episodes import trainable_clips
from streamer.training.head.head import HeadRecipe
from streamer.training.head.maps import ClosedForm, Trained
from streamer.training.head.trials import UNSEEN, Fit, Trial, run_trial

PROTOCOLS = ("corpus", "speakers")
EVERY = 25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method to fit the map, for the trials and for the final fit."""

    name: str
    fit: Fit
    affine: Callable[[np.ndarray], Affine]


@dataclass(frozen=True, slots=True)
class Head:
    """The released map from the blocks' means, with its provenance.

    ``checkpoint`` is the sha256 of the one whose means it maps, ``skip`` the excluded corpora.
    """

    name: str
    affine: Affine
    checkpoint: str
    skip: tuple[str, ...]


def candidates(
    means: np.ndarray, clips: Sequence[Clip], recipe: HeadRecipe
) -> tuple[Candidate, ...]:
    """Label-free, within, and trained after each ``EVERY`` steps."""
    free, within = (ClosedForm(means, clips, within) for within in (False, True))
    trained = Trained(within, recipe, EVERY)
    later = (
        Candidate(f"trained, {step} steps", trained.at(step), _affine_at(trained, step))
        for step in range(EVERY, recipe.steps + 1, EVERY)
    )
    return (
        Candidate("label-free", free, free.affine),
        Candidate("within", within, within.affine),
        *later,
    )


def _affine_at(trained: Trained, step: int) -> Callable[[np.ndarray], Affine]:
    return lambda allowed: trained.affine(allowed, step)


def usable_trials(clips: Sequence[Clip]) -> tuple[Trial, ...]:
    """The trials whose corpus and emotion are among the clips."""
    heard = {(c.corpus, c.emotion) for c in clips}
    return tuple(t for t in UNSEEN if (t.corpus, t.emotion) in heard)


def evaluate_candidates(
    tried: Sequence[Candidate], clips: Sequence[Clip], seed: int
) -> Iterator[tuple[Candidate, dict[str, float]]]:
    """Each candidate's mean UAR over the trials by protocol, speakers' means subtracted."""
    trials = usable_trials(clips)
    if not trials:
        raise ValueError("no corpus with an unseen emotion is left: head needs ravdess or nemo")
    for candidate in tried:
        figures = {}
        for protocol in PROTOCOLS:
            outcomes = [run_trial(candidate.fit, clips, t, protocol, seed) for t in trials]
            figures[protocol] = float(np.mean([o.centred[10] for o in outcomes]))
        yield candidate, figures


def make_head(
    candidate: Candidate, clips: Sequence[Clip], checkpoint: str, skip: Sequence[str]
) -> Head:
    """The candidate's map, fitted on all trainable clips."""
    affine = candidate.affine(trainable_clips(clips))
    return Head(candidate.name, affine, checkpoint, tuple(sorted(skip)))


def save_head(head: Head, path: Path) -> None:
    """Write it atomically."""
    state = {
        "name": head.name,
        "matrix": torch.from_numpy(head.affine.matrix),
        "offset": torch.from_numpy(head.affine.offset),
        "checkpoint": head.checkpoint,
        "skip": list(head.skip),
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def load_head(path: Path, checkpoint: str, skip: frozenset[str]) -> Head:
    """The head of this checkpoint (sha256) without ``skip``. Raises ValueError for another."""
    state = torch.load(path, weights_only=True)
    affine = Affine(state["matrix"].numpy(), state["offset"].numpy())
    head = Head(state["name"], affine, state["checkpoint"], tuple(state["skip"]))
    if head.checkpoint != checkpoint:
        raise ValueError(f"{path} was made for another checkpoint: make it again, or delete it")
    if set(head.skip) != skip:
        raise ValueError(
            f"{path} was made without {list(head.skip)}, not without {sorted(skip)}: make it "
            "again with the same --skip, or delete it"
        )
    return head
