"""A ring of samples between the audio callback and the loop."""

import numpy as np

from streamer.types import Samples

MARKS = 64


class Ring:
    """Single producer, single consumer, fixed capacity; neither side ever waits for the other.

    All memory is taken at construction. Positions only grow, and each is written by one side
    alone: the samples are copied before `_written` moves, and read before `_read` moves. When
    the ring is full the newest samples are lost; a mark keeps where in the timeline, so that
    `read` can hand the loss out at its place. While all marks are in use the ring counts as full.

    capacity_samples: per channel, at least 1. channels: at least 1.
    """

    def __init__(self, capacity_samples: int, channels: int) -> None:
        self._samples = np.zeros((capacity_samples, channels), dtype=np.float32)
        self._capacity = capacity_samples
        self._written = 0
        self._read = 0
        self._mark_position = [0] * MARKS
        self._mark_lost = [0] * MARKS
        self._marks_written = 0
        self._marks_read = 0
        self._unmarked = 0

    def write(self, samples: Samples) -> int:
        """Producer only. Copies `samples` [n, channels], as many as fit; returns how many did."""
        room = self._capacity - (self._written - self._read)
        taken = min(room, len(samples))
        if taken and self._unmarked and not self.mark_loss():
            taken = 0
        if taken:
            start = self._written % self._capacity
            before_wrap = min(taken, self._capacity - start)
            self._samples[start : start + before_wrap] = samples[:before_wrap]
            self._samples[: taken - before_wrap] = samples[before_wrap:taken]
            self._written += taken
        self._unmarked += len(samples) - taken
        return taken

    def mark_loss(self) -> bool:
        """Producer, or consumer once the producer is gone: make the latest loss readable.

        Returns False where every mark is in use; the loss is kept for the next call.
        """
        if self._unmarked:
            if self._marks_written - self._marks_read == MARKS:
                return False
            slot = self._marks_written % MARKS
            self._mark_position[slot] = self._written
            self._mark_lost[slot] = self._unmarked
            self._unmarked = 0
            self._marks_written += 1
        return True

    def read(self, limit: int) -> tuple[Samples, int]:
        """Consumer only. Up to `limit` samples [n, channels], and how many were lost after them.

        Never reads across a loss; ([0, channels], 0) where there is nothing.
        """
        written = self._written  # before the marks: a mark is set before what follows it
        lost = 0
        if self._marks_written != self._marks_read:
            slot = self._marks_read % MARKS
            end = self._mark_position[slot]
            if end - self._read <= limit:
                lost = self._mark_lost[slot]
                self._marks_read += 1
        else:
            end = written
        count = min(end - self._read, limit)
        start = self._read % self._capacity
        before_wrap = min(count, self._capacity - start)
        samples = np.concatenate(
            (self._samples[start : start + before_wrap], self._samples[: count - before_wrap])
        )
        self._read += count
        return samples, lost
