"""Batches of random crops from a cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from streamer.training.data.targets import MEL_PER_TOKEN, SAMPLES_PER_TOKEN, SILENT, Cache
from streamer.training.student.raw_network import RawShape
from streamer.training.student.recipe import Recipe

EMOTIONAL = 2.0  # how much more a corpus with emotions is heard
NEAR = 1.4  # a clip may be so much longer than the crop that is taken for it


@dataclass(frozen=True, slots=True)
class Batch:
    """Clean log10 mel [size, frames, 80], each crop's tokens [size], targets of each hint.

    ``audio`` float32 [size, samples] is for students on the raw waveform.
    """

    logmel: Tensor
    tokens: Tensor
    raw: list[Tensor]
    audio: Tensor | None = None


class Crops:
    """Draws batches of crops from a cache.

    A corpus is drawn in proportion to the square root of its hours, one with emotion labels twice
    as often; within it, every second is as likely as any other. Clips of similar length share a
    batch.
    """

    def __init__(self, cache: Cache, recipe: Recipe) -> None:
        self.recipe, self.cache = recipe, cache
        self.mel = cache.mel()
        self.audio = cache.audio() if isinstance(recipe.shape, RawShape) else None
        self.teachers = {name: cache.teacher(name) for name in {h[1] for h in recipe.hints}}
        kept = [i for i, c in enumerate(cache.clips) if c.corpus not in recipe.skip]
        if not kept:
            raise ValueError(f"no clips are left after skipping {', '.join(recipe.skip)}")
        counts = np.diff(cache.offsets)[kept]
        chances = _chances(cache, np.array(kept), counts, self.longest)
        spans = np.searchsorted(
            [NEAR * span * recipe.crop_tokens for span in recipe.spans[:-1]], counts
        )
        self.groups = [
            (span, np.array(kept)[spans == i], chances[spans == i])
            for i, span in enumerate(recipe.spans)
            if (spans == i).any()
        ]

    @property
    def longest(self) -> int:
        """Tokens of the longest crops."""
        return round(self.recipe.crop_tokens * max(self.recipe.spans))

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """As much sound as so many crops of ``crop_tokens``, in crops of one length."""
        shares = [chances.sum() for _, _, chances in self.groups]
        span, clips, chances = self.groups[rng.choice(len(shares), p=shares / np.sum(shares))]
        size, length = max(1, round(size / span)), round(self.recipe.crop_tokens * span)
        logmel = torch.full((size, length * MEL_PER_TOKEN, self.mel.shape[1]), SILENT)
        tokens = torch.zeros(size, dtype=torch.long)
        raw = [torch.zeros(size, length, hint[3]) for hint in self.recipe.hints]
        audio = None if self.audio is None else torch.zeros(size, length * SAMPLES_PER_TOKEN)
        for row, i in enumerate(rng.choice(clips, size, p=chances / chances.sum())):
            start, end = int(self.cache.offsets[i]), int(self.cache.offsets[i + 1])
            start += int(rng.integers(0, max(1, end - start - length + 1)))
            count = min(length, end - start)
            heard = self.mel[start * MEL_PER_TOKEN : (start + count) * MEL_PER_TOKEN]
            logmel[row, : len(heard)] = torch.from_numpy(heard.astype(np.float32))
            tokens[row] = count
            for values, (_, name, first, width) in zip(raw, self.recipe.hints, strict=True):
                said = self.teachers[name][start : start + count, first : first + width]
                values[row, :count] = torch.from_numpy(said.astype(np.float32))
            if audio is not None and self.audio is not None:
                sound = self.audio[start * SAMPLES_PER_TOKEN : (start + count) * SAMPLES_PER_TOKEN]
                audio[row, : len(sound)] = torch.from_numpy(sound.astype(np.float32)) / 32_768.0
        return Batch(logmel, tokens, raw, audio)


def _chances(cache: Cache, kept: np.ndarray, counts: np.ndarray, longest: int) -> np.ndarray:
    """How likely each of the kept clips, of so many tokens, is to be drawn; the sum is 1."""
    corpora = np.array([cache.clips[i].corpus for i in kept])
    labelled = np.array([cache.clips[i].emotion != "" for i in kept])
    heard = np.minimum(counts, longest).astype(float)
    chances = np.empty(len(kept))
    for name in np.unique(corpora):
        own = corpora == name
        share = np.sqrt(counts[own].sum()) * (EMOTIONAL if labelled[own].any() else 1.0)
        chances[own] = share * heard[own] / heard[own].sum()
    return chances / chances.sum()
