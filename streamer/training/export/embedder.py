"""The deployed graph: waveform in, embedding and emotion out, padding found and masked inside.

The raw vector of a clip is the mean and deviation over time of the blocks' outputs and, for a
student on log-mel, of the floored log-mel itself (which keeps the level that the student takes
away). Two fixed affine maps give the outputs: a projection of the whole vector (``embedding``), and
one of blocks' means only, scaled to unit length (``emotion``).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from streamer.training.data.targets import MIN_SAMPLES
from streamer.training.student.logmel import HOP, LogMel
from streamer.training.student.network import Student, floored, frame_mask, pooled
from streamer.training.student.raw_network import RawStudent


class Embedder(nn.Module):
    """audio [batch, samples] -> embedding [batch, d], emotion [batch, e] (unit length)."""

    def __init__(self, student: Student | RawStudent, sizes: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.front = None if isinstance(student, RawStudent) else LogMel()
        self.student = student
        means = mean_columns(student)
        self.register_buffer("mean_columns", torch.from_numpy(means), persistent=False)
        self.embedding = nn.Linear(raw_size(student), sizes[0])
        self.emotion = nn.Linear(len(means), sizes[1])

    def raw(self, heard: Tensor, lengths: Tensor) -> Tensor:
        """What the student takes, and how much of it is the clip's -> raw vector [batch, raw_size].

        heard is audio [batch, samples], or log10 mel [batch, frames, 80].
        """
        hidden, mask = self.student(heard, lengths)
        parts = [pooled(block, mask) for block in hidden]
        if self.front is not None:
            own = frame_mask(heard, lengths)
            parts.append(pooled(floored(heard, own), own))
        return torch.cat(parts, dim=1)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        if self.front is None:
            raw = self.raw(audio, valid_samples(audio))
        else:
            raw = self.raw(self.front(audio), valid_frames(audio))
        embedding, emotion = self.embedding(raw), self.emotion(raw[:, self.mean_columns])
        length = torch.sqrt((emotion * emotion).sum(dim=1, keepdim=True) + 1e-12)
        return embedding, emotion / length


def raw_size(student: Student | RawStudent) -> int:
    """Length of the raw vector: mean and deviation of the blocks, and of 80 mel bands if any."""
    bands = 0 if isinstance(student, RawStudent) else 80
    return 2 * (student.shape.layers * student.shape.channels + bands)


def mean_columns(student: Student | RawStudent) -> np.ndarray:
    """Where the raw vector holds the means that make ``emotion``: int64 [blocks * channels].

    Of a raw student those of the first half of the blocks: later ones carry words, and verify new
    emotions worse (models/README.md).
    """
    channels, blocks = student.shape.channels, student.shape.layers
    if isinstance(student, RawStudent):
        blocks = max(1, blocks // 2)
    starts = 2 * channels * np.arange(blocks)
    return (starts[:, None] + np.arange(channels)).ravel()


def valid_samples(audio: Tensor) -> Tensor:
    """Samples up to the last one that is not zero, 0.1 s at least: int64 [batch]."""
    places = torch.arange(1, audio.shape[1] + 1, device=audio.device)
    return ((audio != 0) * places[None, :]).amax(dim=1).clamp_min(MIN_SAMPLES)


def valid_frames(audio: Tensor) -> Tensor:
    """Frames up to the last non-zero sample, 0.1 s at least: int64 [batch]."""
    # The loudest sample of each hop, the last one perhaps in part.
    loudest = nn.functional.max_pool1d(audio.abs()[:, None], HOP, ceil_mode=True)[:, 0]
    places = torch.arange(1, loudest.shape[1] + 1, device=audio.device)
    return ((loudest > 0) * places[None, :]).amax(dim=1).clamp_min(-(-MIN_SAMPLES // HOP))
