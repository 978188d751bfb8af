"""Drift detection: a changed voice or microphone, or a changed meaning of the labels.

Two kinds of signal are monitored. The distance of the last embeddings from the earlier ones
(`voice_drift`) shows changes of the voice, the microphone or the room; it needs no label. The
error of a prediction against its label shows those, and annotators who now answer differently. So a
rise of the error alone is attributed to the labels; one soon after a rise of the distance is
attributed to that.

River has both detectors. Here they are functions of the values in the window, so that the values
are the whole state, and because `river.drift` takes two seconds and 110 MB to import; the tests
compare them with river's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from streamer.types import Matrix, Vector

DISTANCE: Final = "distance"
# As far back as a change is looked for, in values of a signal.
WINDOW: Final = 1000
# Utterances for which a rise of the distance explains one of the error; the moments of both are
# estimates, so the error may seem to rise a little before.
EXPLAINS: Final = 200
_BEFORE: Final = 50
# In units of the signal's own deviation over its first values: rises below half a deviation are
# none; a rise by one deviation is found after about 40 values.
_WARM_UP: Final = 30
_ALLOWANCE: Final = 0.5
_THRESHOLD: Final = 20.0
_LEAST_DEVIATION: Final = 1e-3
_LIMIT: Final = 5.0
_SIGNIFICANCE: Final = 0.002
_LEAST_PART: Final = 5
MOST_CHANGES: Final = 20

# What else moves all embeddings for longer than most moods last.
_OTHERWISE: Final = "a mood that lasts for long or files sorted by emotion can also cause this"

Cause = Literal["voice or microphone", "labels"]


@dataclass(frozen=True, slots=True)
class Change:
    """A rise of a signal:

    the number of the first value after the most likely change point, the number at which it was
    detected, and the means before and after.
    """

    since: int
    found: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Drift:
    """cause: the probable cause. signal: `distance`, or the dimension whose error rose.

    since, found: utterances. before, after: the signal's means; the distance is in deviations of a
    feature (root mean square over them, 0 is usual), an error in units of the label.
    """

    cause: Cause
    signal: str
    since: int
    found: int
    before: float
    after: float

    def __str__(self) -> str:
        what = "distance from the usual" if self.signal == DISTANCE else f"error of {self.signal}"
        told = (
            f"{self.cause} changed at utterance {self.since} "
            f"({what} {self.before:.2f} before, {self.after:.2f} since)"
        )
        return f"{told}; {_OTHERWISE}" if self.signal == DISTANCE else told


class DriftDetector:
    """Detects lasting rises of a signal by Page-Hinkley or ADWIN.

    Its state is the values since the last change, `WINDOW` at most, each with its number.
    """

    def __init__(self) -> None:
        self.changes: tuple[Change, ...] = ()
        self._window: Matrix = np.zeros((0, 2))
        # Centre and deviation of the window's first values, None until they are asked for.
        self._begun: tuple[float, float] | None = None

    def observe(self, number: int, value: float) -> None:
        """One more value, finite; number: of the utterance that it is of."""
        window = np.concatenate([self._window, [[number, value]]])
        values = window[:, 1]
        if len(values) < _WARM_UP:
            self._window = window
            return
        if self._begun is None:
            self._begun = _begun(values)
        scores = _scores(values, *self._begun)
        # Page-Hinkley at every value, ADWIN, as is usual, at every 32nd: it looks at all splits.
        if rises(scores) or (len(scores) % 32 == 0 and differs(scores)):
            at, before, after = _split(values)
            if after > before:
                change = Change(int(window[at, 0]), number, before, after)
                self.changes = (*self.changes, change)[-MOST_CHANGES:]
            window = window[:0]
        elif len(window) == WINDOW:
            window = window[WINDOW // 2 :]
        if len(window) < len(values):
            self._begun = None
        self._window = window

    def to_arrays(self) -> dict[str, Matrix]:
        changes = [[c.since, c.found, c.before, c.after] for c in self.changes]
        return {
            "watched": self._window.copy(),
            "changes": np.array(changes, np.float64).reshape(-1, 4),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of `to_arrays`, bit for bit."""
        restored = cls()
        restored._window = np.array(arrays["watched"])
        restored.changes = tuple(
            Change(int(since), int(found), float(before), float(after))
            for since, found, before, after in arrays["changes"]
        )
        return restored


def drifts(voice: Sequence[Change], errors: Mapping[str, Sequence[Change]]) -> list[Drift]:
    """The changes, in the order of their detection.

    voice: changes of the distance; errors: of the absolute error on each dimension, by its name.
    """
    found = [Drift("voice or microphone", DISTANCE, c.since, c.found, c.before, c.after)
             for c in voice]  # fmt: skip
    for name, changes in errors.items():
        for c in changes:
            explained = any(-_BEFORE <= c.since - v.since < EXPLAINS for v in voice)
            cause: Cause = "voice or microphone" if explained else "labels"
            found.append(Drift(cause, name, c.since, c.found, c.before, c.after))
    return sorted(found, key=lambda drift: drift.found)


def rises(scores: Vector) -> bool:
    """Page-Hinkley (Page 1954), upwards: the sum of what exceeds the mean so far by the allowance
    is now more than the threshold above its lowest."""
    if scores[-1] - scores.sum() / len(scores) <= _ALLOWANCE:
        return False  # The sum has not risen; and had it been above before, that had been found.
    means = np.cumsum(scores) / np.arange(1, len(scores) + 1)
    sums = np.cumsum(scores - means - _ALLOWANCE)
    return bool(sums[-1] - sums.min() > _THRESHOLD)


def differs(scores: Vector) -> bool:
    """ADWIN (Bifet and Gavalda 2007, theorem 3.1 with the variance, section 3.1): the means of two
    parts of the window differ by more than chance explains, wherever it is split."""
    count = len(scores)
    first = np.arange(_LEAST_PART, count - _LEAST_PART + 1)
    sums = np.cumsum(scores)
    gap = sums[first - 1] / first - (sums[-1] - sums[first - 1]) / (count - first)
    inverse = 1.0 / first + 1.0 / (count - first)
    confidence = np.log(2.0 * np.log(count) / _SIGNIFICANCE)
    chance = np.sqrt(2.0 * inverse * scores.var() * confidence) + 2.0 / 3.0 * inverse * confidence
    return bool((np.abs(gap) > chance).any())


def _begun(values: Vector) -> tuple[float, float]:
    """Centre and deviation of the first values."""
    first = values[:_WARM_UP]
    return float(first.mean()), max(float(first.std()), _LEAST_DEVIATION)


def _scores(values: Vector, centre: float, deviation: float) -> Vector:
    """In deviations from the centre, cut so that no outlier is a change."""
    scores = (values - centre) / deviation
    return np.asarray(np.minimum(np.maximum(scores, -_LIMIT), _LIMIT))


def _split(values: Vector) -> tuple[int, float, float]:
    """The likeliest moment of one change of the mean: the place after it, the means around it."""
    places = np.arange(1, len(values))
    sums = np.cumsum(values)[:-1]
    before = sums / places
    after = (values.sum() - sums) / (len(values) - places)
    gain = places * (len(values) - places) * (after - before) ** 2
    best = int(np.argmax(gain))
    return best + 1, float(before[best]), float(after[best])
