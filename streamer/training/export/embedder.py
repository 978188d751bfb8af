"""The deployed graph: waveform in, embedding and emotion out, padding found and masked inside.

The raw vector of a clip is the mean and deviation over time of the blocks' outputs and of the
floored log-mel itself (which also keeps the level that the student takes away). Two fixed affine
maps give the outputs: a whitening projection of the whole vector (``embedding``), and one of the
blocks' means only, scaled to unit length (``emotion``).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from streamer.training.data.targets import MIN_SAMPLES, SILENT
from streamer.training.student.logmel import HOP, LogMel
from streamer.training.student.network import Student, floored, frame_mask, pooled


class Embedder(nn.Module):
    """audio [batch, samples] -> embedding [batch, d], emotion [batch, e] (unit length)."""

    def __init__(
        self, student: Student, sizes: tuple[int, int], pooled_blocks: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.front = LogMel()
        self.student = student
        self.pooled_blocks = pooled_blocks
        raw = raw_size(student, pooled_blocks)
        means = mean_columns(student, pooled_blocks)
        self.register_buffer("mean_columns", torch.from_numpy(means), persistent=False)
        self.embedding = nn.Linear(raw, sizes[0])
        self.emotion = nn.Linear(len(means), sizes[1])

    def raw(self, logmel: Tensor, frames: Tensor) -> Tensor:
        """log10 mel [batch, frames, 80], valid frames [batch] -> raw vector [batch, raw_size]."""
        hidden, mask = self.student(logmel, frames)
        own = frame_mask(logmel, frames)
        parts = [pooled(hidden[block], mask) for block in self.pooled_blocks]
        return torch.cat([*parts, pooled(floored(logmel, own), own)], dim=1)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        raw = self.raw(self.front(audio), valid_frames(audio))
        embedding, emotion = self.embedding(raw), self.emotion(raw[:, self.mean_columns])
        length = torch.sqrt((emotion * emotion).sum(dim=1, keepdim=True) + 1e-12)
        return embedding, emotion / length


def raw_size(student: Student, pooled_blocks: tuple[int, ...]) -> int:
    """Length of the raw vector: mean and deviation of the chosen blocks and of 80 mel bands."""
    return 2 * (len(pooled_blocks) * student.shape.channels + 80)


def mean_columns(student: Student, pooled_blocks: tuple[int, ...]) -> np.ndarray:
    """Where the raw vector holds the blocks' means: int64 [blocks * channels]."""
    channels = student.shape.channels
    starts = 2 * channels * np.arange(len(pooled_blocks))
    return (starts[:, None] + np.arange(channels)).ravel()


def valid_frames(audio: Tensor) -> Tensor:
    """Frames up to the last non-zero sample, 0.1 s at least: int64 [batch]."""
    # The loudest sample of each hop, the last one perhaps in part.
    loudest = nn.functional.max_pool1d(audio.abs()[:, None], HOP, ceil_mode=True)[:, 0]
    places = torch.arange(1, loudest.shape[1] + 1, device=audio.device)
    return ((loudest > 0) * places[None, :]).amax(dim=1).clamp_min(-(-MIN_SAMPLES // HOP))


@torch.no_grad()
def raw_vectors(embedder: Embedder, clips: Iterable[np.ndarray], batch: int = 16) -> np.ndarray:
    """Raw vectors of cached clips, each float16 log10 mel [frames, 80], in the order given.

    Clips go in batches of like length; what comes out is float32 [clips, raw_size].
    """
    mels = list(clips)
    order = np.argsort([len(m) for m in mels], kind="stable")
    out: np.ndarray | None = None
    for begin in range(0, len(order), batch):
        rows = order[begin : begin + batch]
        frames = torch.tensor([len(mels[i]) for i in rows])
        logmel = torch.full((len(rows), int(frames.max()), mels[rows[0]].shape[1]), SILENT)
        for row, i in enumerate(rows):
            logmel[row, : len(mels[i])] = torch.from_numpy(mels[i].astype(np.float32))
        vectors = embedder.raw(logmel, frames).numpy()
        out = np.empty((len(mels), vectors.shape[1]), np.float32) if out is None else out
        out[rows] = vectors
    if out is None:
        raise ValueError("no clips to embed")
    return out
