"""What the tables of verification compare maps on, and the maps that only they need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from streamer.training.data.speech import Clip
from streamer.training.data.targets import MEL_PER_TOKEN, Cache
from streamer.training.export.embedder import mean_columns
from streamer.training.export.onnx import sha256
from streamer.training.export.pooling import clip_vectors
from streamer.training.export.prior import corpus_weights
from streamer.training.head.episodes import Episodes
from streamer.training.head.frames import FrameHead, FrameInputs
from streamer.training.head.head import HeadRecipe, train_head
from streamer.training.head.maps import ClosedForm
from streamer.training.head.trials import Fit, Vectors
from streamer.training.student.distill import load_distiller
from streamer.training.student.network import Student

TEACHER = "tiny"
TEACHER_BLOCK = slice(384, 768)
FRAME_SIZE = 128
LONGEST_TOKENS = 250
BATCH = 16


@dataclass(frozen=True)
class Material:
    """Labelled clips of a cache and their raw vectors [clips, n] by a checkpoint's student."""

    cache: Cache
    kept: tuple[int, ...]
    clips: tuple[Clip, ...]
    raw: np.ndarray
    student: Student
    checkpoint: str

    @cached_property
    def means(self) -> np.ndarray:
        """The blocks' means: float32 [clips, blocks * channels]."""
        return self.raw[:, mean_columns(self.student)]

    @cached_property
    def label_free(self) -> ClosedForm:
        return ClosedForm(self.means, self.clips, within=False)

    @cached_property
    def within(self) -> ClosedForm:
        return ClosedForm(self.means, self.clips, within=True)

    def references(self) -> Iterator[tuple[str, Fit]]:
        """Pooled features of the teacher and of the log-mel, z-scored over all clips."""
        teacher = self.cache.teacher(TEACHER)
        pooled = np.empty((len(self.kept), 2 * 384), np.float32)
        for row, i in enumerate(self.kept):
            start, end = self.cache.offsets[i], self.cache.offsets[i + 1]
            said = teacher[start:end, TEACHER_BLOCK].astype(np.float32)
            pooled[row] = np.concatenate([said.mean(0), said.std(0)])
        blocks = 2 * self.student.shape.layers * self.student.shape.channels
        yield "teacher, block 2", self._scored(pooled)
        yield "mel statistics", self._scored(self.raw[:, blocks:])

    def _scored(self, vectors: np.ndarray) -> Fit:
        share = corpus_weights(self.clips) / len(self.clips)
        centred = vectors - share @ vectors
        scored = centred / np.sqrt(share @ centred**2)
        return lambda allowed: lambda numbers: scored[numbers]

    @cached_property
    def frames(self) -> tuple[np.ndarray, list[int]]:
        """Every block's tokens on their principal directions, and where each clip's begin.

        float16 [all tokens, 128]; the directions know nothing of emotions or speakers.
        """
        rng = np.random.default_rng(0)
        some = np.concatenate(list(self._tokens(rng.permutation(len(self.kept))[:500])))
        scale = some.std(0)
        _, axes = np.linalg.eigh(np.cov((some / scale).T))
        directions = (axes[:, ::-1][:, :FRAME_SIZE] / scale[:, None]).astype(np.float32)
        stored = [(x @ directions).astype(np.float16) for x in self._tokens(range(len(self.kept)))]
        return np.concatenate(stored), np.cumsum([0, *map(len, stored)]).tolist()

    @torch.no_grad()
    def _tokens(self, rows: Iterable[int]) -> Iterator[np.ndarray]:
        """Every block's tokens of these clips, beside each other: float32 [tokens, blocks * c]."""
        mel = self.cache.mel()
        for row in rows:
            i = self.kept[row]
            start, end = (MEL_PER_TOKEN * self.cache.offsets[j] for j in (i, i + 1))
            heard = torch.from_numpy(mel[start:end].astype(np.float32))[None]
            hidden, _ = self.student(heard, torch.tensor([end - start]))
            yield torch.cat(hidden, dim=2)[0].numpy()


class OnFrames:
    """A GRU and transformer head on frames, trained anew for every set of allowed clips."""

    def __init__(self, material: Material, recipe: HeadRecipe) -> None:
        self.material, self.recipe = material, recipe

    def __call__(self, allowed: np.ndarray) -> Vectors:
        frames, offsets = self.material.frames
        inputs = FrameInputs(frames, offsets)
        torch.manual_seed(self.recipe.seed)
        head = FrameHead(FRAME_SIZE, self.recipe.size)
        episodes = Episodes(self.material.clips, allowed, self.recipe.examples)
        for _ in train_head(head, inputs, episodes, self.recipe, self.recipe.steps):
            pass
        return lambda numbers: self._answers(head, inputs, numbers)

    @torch.no_grad()
    def _answers(self, head: FrameHead, inputs: FrameInputs, numbers: np.ndarray) -> np.ndarray:
        batches = (numbers[b : b + BATCH] for b in range(0, len(numbers), BATCH))
        return np.concatenate([head(*inputs.padded(b, LONGEST_TOKENS)).numpy() for b in batches])


def open_material(cache: Path, run: Path) -> Material:
    """The labelled clips of a cache, heard by the student of a run's checkpoint."""
    checkpoint, stored = run / "checkpoint.pt", Cache.open(cache)
    student = load_distiller(checkpoint)[0].student
    kept = tuple(i for i, c in enumerate(stored.clips) if c.emotion)
    if not isinstance(student, Student) or not kept:
        raise SystemExit("verification needs a log-mel student and a cache of labelled clips")
    raw = clip_vectors(student, stored, kept)
    clips = tuple(stored.clips[i] for i in kept)
    return Material(stored, kept, clips, raw, student, sha256(checkpoint))
