"""Detection of another voice, microphone or room, by the embeddings alone.

Moods last: a voice that is angry for forty utterances is far from its mean for all of them. So it
is not distance that counts, but distance in directions in which this voice's moods have not moved
it, for longer than a mood lasts.
"""

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.drift import MOST_CHANGES, Change
from streamer.types import Matrix, Vector

# Utterances in a block. Their mean is one observation.
BLOCK: Final = 7
# Blocks that must all have moved: 49 utterances, more than most moods last.
SPAN: Final = 7
# Earlier blocks that they are compared with, at least and at most. Before the fewest (154
# utterances) some of a voice's moods have not been heard, and their first time looks like a change.
FEWEST: Final = 22
HISTORY: Final = 80
# The principal directions of the earlier blocks that count as moods.
DIRECTIONS: Final = 8
# In deviations of one utterance, root mean square over the features, for a long history; of n
# earlier blocks it is 1 + 8 / n times as much, as fewer moods have been heard.
THRESHOLD: Final = 0.19
_FEW: Final = 8.0
# Of a longer embedding, every so many-th value.
SKETCH: Final = 64
# An utterance of less weight repeats one that was just heard.
REPETITION: Final = 0.1
_LEAST_VARIANCE: Final = 1e-12


class VoiceDriftDetector:
    """Detects the times at which a voice, microphone or room gave way to another.

    The mean of every `BLOCK` utterances is an observation. The first `DIRECTIONS` principal
    directions of the earlier ones, in which moods and what is said move this voice, are projected
    out of the last `SPAN`. There is a change where each of these lies more than a threshold from
    the earlier mean along their common direction. Unlike a test that takes utterances for
    independent, it does not mistake a mood for a microphone. What is compared is the embedding
    itself, not its standard scores, which follow a change.

    `benchmarks.drift` has the figures: false alarms on moods of 5 to 40 utterances, delays, and how
    many changes are found.
    """

    def __init__(self) -> None:
        self._changes: tuple[Change, ...] = ()
        # The means of the blocks, in single precision, as they are stored at every utterance.
        self._blocks: Matrix = np.zeros((0, 0))
        # Of each the number of its first utterance, and the mean square.
        self._spans: Matrix = np.zeros((0, 2))
        self._sum: Vector = np.zeros(0)
        self._begun: Vector = np.zeros(3)  # first utterance, count, sum of squares

    def hear(self, number: int, vector: Vector, weight: float = 1.0) -> None:
        """Take in one utterance.

        Parameters
        ----------
        number
            Of the utterance; they grow.
        vector : float64 [d]
            Its embedding, on whatever scale, the same for all.
        weight
            In [0, 1], as in `RunningNormalization`; below `REPETITION` it is left out.
        """
        if weight < REPETITION:
            return
        values = vector[:: -(-len(vector) // SKETCH)]
        first = self._begun[0] if self._begun[1] else number
        self._sum = (self._sum if len(self._sum) else 0.0) + values
        square = self._begun[2] + float(values @ values) / len(values)
        self._begun = np.array([first, self._begun[1] + 1.0, square])
        if self._begun[1] >= BLOCK:
            self._close_block()
            self._look(number)

    def changes(self) -> list[Change]:
        """The changes; before and after are distances as `THRESHOLD` has them."""
        return list(self._changes)

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        changes = [[c.since, c.found, c.before, c.after] for c in self._changes]
        return {
            "blocks": self._blocks.copy(),
            "spans": self._spans.copy(),
            "sum": self._sum.copy(),
            "begun": self._begun.copy(),
            "changes": np.array(changes, np.float64).reshape(-1, 4),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit; of an earlier detector, its changes alone."""
        restored = cls()
        restored._changes = tuple(
            Change(int(since), int(found), float(before), float(after))
            for since, found, before, after in arrays["changes"]
        )
        if "blocks" in arrays:
            restored._blocks = np.array(arrays["blocks"], np.float64)
            restored._spans = np.array(arrays["spans"])
            restored._sum = np.array(arrays["sum"])
            restored._begun = np.array(arrays["begun"])
        return restored

    def _close_block(self) -> None:
        first, count, square = self._begun
        mean = (self._sum / count).astype(np.float32).astype(np.float64)
        blocks = mean[np.newaxis] if not len(self._blocks) else np.vstack([self._blocks, mean])
        self._blocks = blocks[-HISTORY - SPAN :]
        self._spans = np.vstack([self._spans, [first, square / count]])[-HISTORY - SPAN :]
        self._sum, self._begun = np.zeros(0), np.zeros(3)

    def _look(self, number: int) -> None:
        blocks = self._blocks
        earlier = len(blocks) - SPAN
        if earlier < FEWEST:
            return
        centre = blocks[:earlier].mean(axis=0)
        size = blocks.shape[1]
        variance = self._spans[:earlier, 1].mean() - centre @ centre / size
        apart = (blocks - centre) / np.sqrt(size * max(variance, _LEAST_VARIANCE))
        moods = np.linalg.svd(apart[:earlier], full_matrices=False)[2]
        moods = moods[: min(DIRECTIONS, earlier // 2)]
        apart = apart - (apart @ moods.T) @ moods
        moved = apart[earlier:].mean(axis=0)
        distance = float(np.linalg.norm(moved))
        along = apart @ moved / max(distance, _LEAST_VARIANCE)
        if along[earlier:].min() <= THRESHOLD * (1.0 + _FEW / earlier):
            return
        # The block in which it happened may hold utterances of both.
        since = earlier - 1 if along[earlier - 1] > distance / 2.0 else earlier
        before = float(np.sqrt((apart[:since] ** 2).sum(axis=1).mean()))
        change = Change(int(self._spans[since, 0]), number, before, distance)
        self._changes = (*self._changes, change)[-MOST_CHANGES:]
        self._blocks, self._spans = self._blocks[since:], self._spans[since:]
