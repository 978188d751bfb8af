"""Pooled vectors of a cache's clips, from a student of either kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from streamer.training.data.targets import MEL_PER_TOKEN, SAMPLES_PER_TOKEN, SILENT, Cache
from streamer.training.student.network import Student, pooled
from streamer.training.student.raw_network import RawStudent

BATCH = 16


@torch.no_grad()
def clip_vectors(student: Student | RawStudent, cache: Cache, kept: Sequence[int]) -> np.ndarray:
    """Mean and deviation over time of every block: float32 [clips, 2 * layers * channels].

    Clips go in batches of like length and come back in the order of ``kept``.
    """
    raw = isinstance(student, RawStudent)
    stored, each = (cache.audio(), SAMPLES_PER_TOKEN) if raw else (cache.mel(), MEL_PER_TOKEN)
    counts = np.array([cache.offsets[i + 1] - cache.offsets[i] for i in kept])
    out = np.empty((len(kept), 2 * student.shape.layers * student.shape.channels), np.float32)
    order = np.argsort(counts, kind="stable")
    for rows in (order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)):
        lengths = torch.from_numpy(counts[rows] * each)
        heard = torch.full(
            (len(rows), int(lengths.max()), *stored.shape[1:]), 0.0 if raw else SILENT
        )
        for place, row, length in zip(heard, rows, lengths, strict=True):
            start = int(cache.offsets[kept[row]]) * each
            values = stored[start : start + int(length)].astype(np.float32)
            place[: len(values)] = torch.from_numpy(values / 32_768.0 if raw else values)
        hidden, mask = student(heard, lengths)
        out[rows] = torch.cat([pooled(x, mask) for x in hidden], dim=1).numpy()
    return out
