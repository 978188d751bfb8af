"""Speech to train on: packed corpora, or any folder of audio files.

A *packed* folder holds one Ogg Opus file a corpus (16 kHz, mono) and ``clips.csv``, one row a
clip: corpus, clip, start, samples, language, speaker, gender, emotion, extra (start and samples
count 16 kHz samples). Any other folder is read file by file; each file is one clip without labels.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE_HZ = 16_000
COPY_MARK = "~"
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"})


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip's row: speaker, emotion, and the position of its samples.

    ``speaker`` is unique within its corpus ("" where unknown); ``emotion`` is the corpus's own
    word for it ("" where unlabelled).
    """

    corpus: str
    name: str
    speaker: str
    emotion: str
    language: str
    start: int
    samples: int

    @property
    def is_copy(self) -> bool:
        """Whether it was made from another clip; see `copies`."""
        return self.name.endswith(COPY_MARK)


def is_packed(folder: Path) -> bool:
    """Whether the folder holds packed corpora (``clips.csv``) rather than single files."""
    return (folder / "clips.csv").is_file()


def read_clips(
    folder: Path, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[Clip, np.ndarray]]:
    """Yield (clip, audio) for every clip, corpora named in ``skip`` left out.

    audio: float32 [samples], 16 kHz, in [-1, 1].
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no speech folder at {folder}: give --speech a folder of audio")
    if is_packed(folder):
        yield from _read_packed(folder, skip)
    else:
        yield from _read_files(folder)


def read_rows(folder: Path) -> list[Clip]:
    """The rows of a packed folder, in file order, without touching the audio."""
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as rows:
        return [
            Clip(
                corpus=row["corpus"],
                name=row["clip"],
                speaker=row["speaker"],
                emotion=row["emotion"],
                language=row["language"],
                start=int(row["start"]),
                samples=int(row["samples"]),
            )
            for row in csv.DictReader(rows)
        ]


def _read_packed(folder: Path, skip: frozenset[str]) -> Iterator[tuple[Clip, np.ndarray]]:
    rows = read_rows(folder)
    for corpus in dict.fromkeys(clip.corpus for clip in rows):
        if corpus in skip:
            continue
        audio, rate_hz = soundfile.read(folder / f"{corpus}.opus", dtype="float32")
        if rate_hz != RATE_HZ:
            raise ValueError(
                f"{corpus}.opus is at {rate_hz} Hz; packed corpora are at {RATE_HZ} Hz"
            )
        for clip in rows:
            if clip.corpus == corpus:
                yield clip, audio[clip.start : clip.start + clip.samples]


def _read_files(folder: Path) -> Iterator[tuple[Clip, np.ndarray]]:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        mono = audio.mean(axis=1)
        if rate_hz != RATE_HZ:
            mono = soxr.resample(mono, rate_hz, RATE_HZ)
        name = path.relative_to(folder).as_posix()
        yield Clip(folder.name, name, "", "", "", 0, len(mono)), mono.astype(np.float32)
