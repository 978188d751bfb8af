"""Raw vectors of a cache's clips, as the deployed graph pools them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from streamer.training.data.targets import MEL_PER_TOKEN, SAMPLES_PER_TOKEN, SILENT, Cache
from streamer.training.export.embedder import Embedder, raw_size
from streamer.training.student.network import Student
from streamer.training.student.raw_network import RawStudent

BATCH = 16


@torch.no_grad()
def clip_vectors(student: Student | RawStudent, cache: Cache, kept: Sequence[int]) -> np.ndarray:
    """Raw vectors of the cache's clips numbered ``kept``, in that order: float32 [clips, raw_size].

    Clips go in batches of like length.
    """
    embedder, raw = Embedder(student).eval(), isinstance(student, RawStudent)
    stored, each = (cache.audio(), SAMPLES_PER_TOKEN) if raw else (cache.mel(), MEL_PER_TOKEN)
    counts = np.array([cache.offsets[i + 1] - cache.offsets[i] for i in kept])
    out = np.empty((len(kept), raw_size(student)), np.float32)
    order = np.argsort(counts, kind="stable")
    for rows in (order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)):
        lengths = counts[rows] * each
        heard = torch.full(
            (len(rows), int(lengths.max()), *stored.shape[1:]), 0.0 if raw else SILENT
        )
        for place, row, length in zip(heard, rows, lengths, strict=True):
            start = int(cache.offsets[kept[row]]) * each
            values = stored[start : start + int(length)].astype(np.float32)
            place[: len(values)] = torch.from_numpy(values / 32_768.0 if raw else values)
        if raw:
            lengths = np.array([cache.clips[kept[row]].samples for row in rows])
        out[rows] = embedder.raw(heard, torch.from_numpy(lengths)).numpy()
    return out
