"""Continuous annotations: one annotator's trace, and the transcript's turns to average it over."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from streamer.evaluation.corpus import Answer
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.tables import read_lines
from streamer.evaluation.scales import UNIT, Rating, mean_rating
from streamer.types import Vector

_TURN: Final = re.compile(r"---.*?turn (\d+)---")
_WORD: Final = re.compile(r"(\d+) (\d+) \S+")


@dataclass(frozen=True, slots=True)
class Trace:
    """One annotator's values of one dimension. time_s, value: float64 [n], times growing."""

    time_s: Vector
    value: Vector

    def mean(self, start_s: float, end_s: float) -> float | None:
        """The mean of the values in [start_s, end_s), None where the trace has none there."""
        first, last = np.searchsorted(self.time_s, [start_s, end_s])
        return float(self.value[first:last].mean()) if first < last else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker turn: from the onset of its first word to the end of its last one."""

    number: int
    start_s: float
    end_s: float


def read_turns(path: Path) -> list[Turn]:
    """The turns of a transcript aligned by words.

    Lines are "---recording 4 turn 7---", then "1250 1480 WORD" in milliseconds a word. Turns
    without a word are left out.
    """
    words: dict[int, list[tuple[int, int]]] = {}
    turn = 0
    for _, line in read_lines(path):
        if match := _TURN.match(line):
            turn = int(match[1])
        elif match := _WORD.match(line):
            words.setdefault(turn, []).append((int(match[1]), int(match[2])))
    spans = ((n, spoken[0][0], max(end for _, end in spoken)) for n, spoken in words.items())
    return [Turn(n, start / 1000, end / 1000) for n, start, end in spans if end > start]


def read_timed_trace(path: Path, builder: CorpusBuilder) -> Trace | None:
    """A trace of "time value" lines (seconds). None, and a fault, where it cannot be read."""
    try:
        rows = np.array([line.split() for _, line in read_lines(path)], np.float64)
    except ValueError:
        rows = np.empty(0)
    if rows.ndim != 2 or rows.shape[1] != 2 or not np.isfinite(rows).all():
        builder.fault(builder.relative(path), "a trace that is not lines of time and value")
        return None
    return Trace(rows[:, 0], rows[:, 1])


def read_framed_trace(path: Path, rate_hz: float, builder: CorpusBuilder) -> Trace | None:
    """A trace of one value a line, `rate_hz` of them a second. None, and a fault, as above."""
    try:
        values = np.array([line for _, line in read_lines(path)], np.float64)
    except ValueError:
        values = np.empty(0)
    if not len(values) or not np.isfinite(values).all():
        builder.fault(builder.relative(path), "a trace that is not a number a line")
        return None
    return Trace(np.arange(len(values)) / rate_hz, values)


def answers_of(
    traces: dict[str, dict[str, Trace]], turn: Turn, builder: CorpusBuilder, where: str
) -> tuple[Rating, tuple[Answer, ...]]:
    """The mean over the annotators, and each one's mean, over a turn.

    traces: by annotator, then by dimension.
    """
    ratings = {
        annotator: Rating(**{d: trace.mean(turn.start_s, turn.end_s) for d, trace in own.items()})
        for annotator, own in sorted(traces.items())
    }
    answers = tuple(
        Answer(annotator, affect=builder.affect(UNIT, rating, f"{where}, annotator {annotator}"))
        for annotator, rating in ratings.items()
    )
    return mean_rating(list(ratings.values())), answers
