"""A corpus in memory: clips, original labels, and the faults found while reading.

Every reader returns one, whatever the corpus's own files look like; splits, embeddings and
experiments depend on this class only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import CorpusError
from streamer.evaluation.scales import UNRATED, Rating
from streamer.types import DIMENSIONS, Vector

Indices = NDArray[np.intp]
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Answer:
    """One annotator's answer about one clip.

    annotator: "" where the corpus has only vote counts. emotion: a common name, or None. affect: in
    [-1, 1].
    """

    annotator: str
    emotion: str | None = None
    affect: Rating = UNRATED


@dataclass(frozen=True, slots=True)
class CorpusClip:
    """One utterance of a corpus.

    utterance: unique within its corpus. speaker: unique within its corpus, "" where unknown.
    session: the recording session, "" where the corpus has none. emotion: a common name (see
    `emotions`), None where there is no usable label; original_emotion: the corpus's own word or
    code. rated: on the corpus's scale; affect: the same in [-1, 1]. path: the file that holds it,
    None for a row of a feature table. start_s, end_s: its place in that file; end_s is None for "to
    the end". channel: counted from 1; None mixes all. split: the part of the corpus's predefined
    split ("train", "validation", "test" or another name), "" without one. recording: clips that
    hold the same samples have the same one (the first's utterance); "" until the audio has been
    read.
    """

    utterance: str
    speaker: str
    session: str = ""
    emotion: str | None = None
    original_emotion: str = ""
    rated: Rating = UNRATED
    affect: Rating = UNRATED
    answers: tuple[Answer, ...] = ()
    path: Path | None = None
    start_s: float = 0.0
    end_s: float | None = None
    channel: int | None = None
    split: str = ""
    recording: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A file, row or clip that could not be used unchanged, and why.

    is_unreadable: its audio could not be read.
    """

    what: str
    problem: str
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """Clips in the order of their files, and the faults: what was skipped or corrected.

    features: float32 [clips, d], one row per clip, or None before embedding;
    feature_names: d names, or empty.
    """

    name: str
    folder: Path
    clips: tuple[CorpusClip, ...]
    faults: tuple[Fault, ...] = ()
    features: Features | None = None
    feature_names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        counts = Counter(clip.utterance for clip in self.clips)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise CorpusError(
                f"{self.folder}: utterance {twice[0]!r} is there {counts[twice[0]]} times "
                f"({len(twice)} such names); keep one of each"
            )
        if self.features is not None and len(self.features) != len(self.clips):
            raise CorpusError(
                f"{self.name}: {len(self.features)} rows of features for {len(self.clips)} clips"
            )

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def speakers(self) -> list[str]:
        """The names of all known speakers, sorted."""
        return sorted({clip.speaker for clip in self.clips} - {""})

    @property
    def sessions(self) -> list[str]:
        return sorted({clip.session for clip in self.clips} - {""})

    @property
    def emotions(self) -> list[str]:
        """The common names that occur, sorted."""
        return sorted({clip.emotion for clip in self.clips if clip.emotion is not None})

    def affect(self) -> Vector:
        """Valence, arousal, dominance in [-1, 1]: float64 [clips, 3], NaN where not rated."""
        rows = [[np.nan if v is None else v for v in clip.affect] for clip in self.clips]
        return np.array(rows, np.float64).reshape(-1, len(DIMENSIONS))

    def classes(self, emotions: Sequence[str]) -> Indices:
        """The index of each clip's emotion in `emotions`, -1 for any other: int [clips]."""
        place = {emotion: k for k, emotion in enumerate(emotions)}
        return np.array([place.get(clip.emotion or "", -1) for clip in self.clips], np.intp)

    def votes(self, emotions: Sequence[str]) -> Vector:
        """Votes for each of `emotions`: float64 [clips, emotions].

        Votes for other emotions are not counted.
        """
        place = {emotion: k for k, emotion in enumerate(emotions)}
        counts = np.zeros((len(self.clips), len(emotions)))
        for row, clip in zip(counts, self.clips, strict=True):
            for answer in clip.answers:
                if answer.emotion in place:
                    row[place[answer.emotion]] += 1.0
        return counts

    def take(self, indices: Iterable[int] | Indices) -> "Corpus":
        """The corpus of some clips, in that order. A mask must be turned into indices first."""
        at = np.asarray(list(indices), np.intp)
        features = None if self.features is None else self.features[at]
        return replace(self, clips=tuple(self.clips[i] for i in at), features=features)

    def summary(self) -> str:
        """One line of text: counts of clips, unlabelled clips and faults."""
        parts = [f"{len(self)} clips", f"{len(self.speakers)} speakers"]
        parts += [f"{len(self.emotions)} emotions"] if self.emotions else []
        text = f"{self.name}: {', '.join(parts)}"
        unnamed = Counter(c.original_emotion or "none" for c in self.clips if c.emotion is None)
        if unnamed:
            text += f"; {unnamed.total()} without a usable emotion ({_counted(unnamed)})"
        if self.faults:
            problems = Counter(fault.problem for fault in self.faults)
            text += f"; {len(self.faults)} at fault ({_counted(problems)})"
        return text


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common())
