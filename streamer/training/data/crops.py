"""Batches of random crops from a cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from streamer.training.data.targets import MEL_PER_TOKEN, SAMPLES_PER_TOKEN, SILENT, Cache
from streamer.training.student.raw_network import RawShape
from streamer.training.student.recipe import Recipe


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
    """Draws batches of crops from a cache: corpora by weight, clips and positions uniformly."""

    def __init__(self, cache: Cache, recipe: Recipe) -> None:
        self.recipe, self.cache = recipe, cache
        self.mel = cache.mel()
        self.audio = cache.audio() if isinstance(recipe.shape, RawShape) else None
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

    def draw(self, size: int, rng: np.random.Generator) -> Batch:
        """So many crops."""
        length = self.recipe.crop_tokens
        logmel = torch.full((size, length * MEL_PER_TOKEN, self.mel.shape[1]), SILENT)
        tokens = torch.zeros(size, dtype=torch.long)
        raw = [torch.zeros(size, length, hint[3]) for hint in self.recipe.hints]
        audio = None if self.audio is None else torch.zeros(size, length * SAMPLES_PER_TOKEN)
        for row, i in enumerate(rng.choice(self.kept, size, p=self.chances)):
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
