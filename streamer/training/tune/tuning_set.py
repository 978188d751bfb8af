"""The clips of a tuning: audio of a profile or a folder, and the answers to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.audio.clips import from_flac
from streamer.errors import UnreadableAudio, UsageError
from streamer.store.profile import Profile
from streamer.training.data.speech import RATE_HZ, read_clips
from streamer.training.data.targets import MIN_SAMPLES
from streamer.types import DIMENSIONS

LONGEST_S = 20.0
LEAST_SPEECH_S = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class TuningClip:
    """A clip, float32 [n] at 16 kHz, with its labels.

    affect: valence, arousal, dominance in [-1, 1], the mean of the annotators, nan where not rated.
    emotions: number of annotators for each. newest: the position of its last label in the log, 0
    without one.
    """

    audio: np.ndarray
    affect: np.ndarray
    emotions: dict[str, int]
    newest: int = 0


@dataclass(frozen=True, slots=True)
class TuningSet:
    """All clips; the labelled ones, oldest label first."""

    clips: list[TuningClip] = field(default_factory=list)

    @property
    def answered(self) -> list[TuningClip]:
        return sorted((c for c in self.clips if c.newest), key=lambda clip: clip.newest)

    @property
    def speech_s(self) -> float:
        return sum(len(clip.audio) for clip in self.clips) / RATE_HZ

    @property
    def emotions(self) -> list[str]:
        """Emotions with at least two clips, sorted."""
        counts = Counter(name for clip in self.clips for name in clip.emotions)
        return sorted(name for name, count in counts.items() if count > 1)


def from_profile(profile: Profile) -> TuningSet:
    """Every utterance whose audio is kept and readable, labelled or not."""
    answers: dict[int, list[tuple[int, list[float], str | None]]] = {}
    for entry in profile.labels.effective():
        values = [getattr(entry.label, name) for name in DIMENSIONS]
        row = [np.nan if value is None else float(value) for value in values]
        answers.setdefault(entry.label.utterance, []).append((entry.seq, row, entry.label.emotion))
    clips = []
    for number in profile.utterances.numbers():
        kept = profile.audio.clip(number)
        if kept is None:
            continue
        try:
            audio = from_flac(kept)[: round(LONGEST_S * RATE_HZ)]
        except UnreadableAudio:
            continue
        if len(audio) >= MIN_SAMPLES:
            clips.append(_clip(audio, answers.get(number, [])))
    return TuningSet(clips)


def from_folder(folder: Path) -> TuningSet:
    """Every recording of a folder, without labels. Raises UsageError where there is none."""
    try:
        clips = [_clip(piece, []) for _, audio in read_clips(folder) for piece in _pieces(audio)]
    except FileNotFoundError as error:
        raise UsageError(str(error)) from error
    if not clips:
        raise UsageError(f"no recording of 0.1 s or more in {folder}: give --speech another folder")
    return TuningSet(clips)


def check_enough(tuning_set: TuningSet, least_s: float, how: str) -> None:
    """Raises UsageError for less speech than `least_s` seconds."""
    if tuning_set.speech_s < least_s:
        raise UsageError(
            f"{tuning_set.speech_s / 60:.1f} minutes of speech are kept, a tuning needs "
            f"{least_s / 60:.0f}: {how}"
        )


def _pieces(audio: np.ndarray) -> list[np.ndarray]:
    length = round(LONGEST_S * RATE_HZ)
    pieces = [audio[start : start + length] for start in range(0, len(audio), length)]
    return [piece for piece in pieces if len(piece) >= MIN_SAMPLES]


def _clip(audio: np.ndarray, answers: list[tuple[int, list[float], str | None]]) -> TuningClip:
    if not answers:
        return TuningClip(audio, np.full(len(DIMENSIONS), np.nan), {})
    rows = np.array([row for _, row, _ in answers])
    affect = np.full(len(DIMENSIONS), np.nan)
    for column in range(len(DIMENSIONS)):
        given = rows[np.isfinite(rows[:, column]), column]
        if len(given):
            affect[column] = given.mean()
    named = Counter(name for _, _, name in answers if name)
    return TuningClip(audio, affect, dict(named), max(seq for seq, _, _ in answers))
