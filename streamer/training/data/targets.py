"""A cache of the teacher's outputs and of the clips' log-mel.

A cache folder holds ``clips.json`` (one row a clip), ``mel.f16`` (log10 mel power, 100 frames a
second), ``audio.i16`` (16 kHz) for students that hear the waveform, and one ``NAME.f16`` for each
teacher (its layers side by side, 25 tokens a second: two of Whisper's frames averaged). Clips are
padded to whole tokens of 4 mel frames (640 samples, 40 ms), so that token t of a clip belongs to
its mel frames 4t .. 4t+3.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from streamer.training.data.copies import COPIES
from streamer.training.data.speech import Clip, read_clips
from streamer.training.data.teacher import WhisperTeacher
from streamer.training.student.logmel import BANDS, HOP, LogMel

MEL_PER_TOKEN = 4
SAMPLES_PER_TOKEN = HOP * MEL_PER_TOKEN
MIN_SAMPLES = 1_600
SILENT = -10.0


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache folder opened for reading. Token offsets[i] .. offsets[i + 1] belong to clips[i]."""

    folder: Path
    clips: list[Clip]
    offsets: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> Cache:
        if not (folder / "clips.json").is_file():
            raise FileNotFoundError(f"no cache at {folder}: make one with the verb 'cache'")
        clips = [Clip(**row) for row in json.loads((folder / "clips.json").read_text())]
        return cls(
            folder, clips, np.concatenate([[0], np.cumsum([tokens(c.samples) for c in clips])])
        )

    def mel(self) -> np.ndarray:
        """float16 [tokens * 4, 80], log10 power."""
        return np.memmap(self.folder / "mel.f16", np.float16, "r").reshape(-1, BANDS)

    def audio(self) -> np.ndarray:
        """int16 [tokens * 640], full scale 32,768."""
        path = self.folder / "audio.i16"
        if not path.is_file():
            raise FileNotFoundError(f"no audio in {self.folder}: make it with the verb 'cache'")
        return np.memmap(path, np.int16, "r")

    def teacher(self, name: str) -> np.ndarray:
        """float16 [tokens, layers * width]."""
        path = self.folder / f"{name}.f16"
        if not path.is_file():
            raise FileNotFoundError(f"no targets of teacher '{name}' in {self.folder}")
        return np.memmap(path, np.float16, "r").reshape(int(self.offsets[-1]), -1)


def tokens(samples: int) -> int:
    """Number of tokens of 40 ms for a clip, the last one perhaps partly filled."""
    return -(-samples // SAMPLES_PER_TOKEN)


def padded_clips(
    speech: Path, skip: frozenset[str], copies: Sequence[str]
) -> Iterator[tuple[Clip, np.ndarray]]:
    """The clips of a cache in its order, and their audio padded with zeros to whole tokens.

    Clips under 0.1 s are left out. After each clip come its ``copies``, names of ``COPIES``.
    """
    for pair in read_clips(speech, skip):
        for clip, audio in (pair, *(COPIES[kind](*pair) for kind in copies)):
            if len(audio) >= MIN_SAMPLES:
                padded = np.zeros(tokens(len(audio)) * SAMPLES_PER_TOKEN, np.float32)
                padded[: len(audio)] = audio
                yield clip, padded


def write_mel(
    speech: Path,
    folder: Path,
    skip: frozenset[str] = frozenset(),
    copies: Sequence[str] = ("speed",),
) -> None:
    """Make the cache folder: the clips' rows and their log-mel."""
    folder.mkdir(parents=True, exist_ok=True)
    front, clips = LogMel(), []
    with (folder / "mel.f16").open("wb") as out:
        for clip, padded in padded_clips(speech, skip, copies):
            with torch.no_grad():
                mel = front(torch.from_numpy(padded)[None])[0, :-1].numpy()
            mel[-(-clip.samples // HOP) :] = SILENT
            out.write(mel.astype(np.float16).tobytes())
            clips.append(asdict(clip))
    if not clips:
        raise ValueError(f"no clip of 0.1 s or more in {speech}: give --speech a folder of speech")
    (folder / "clips.json").write_text(json.dumps(clips))


def write_audio(
    speech: Path,
    folder: Path,
    skip: frozenset[str] = frozenset(),
    copies: Sequence[str] = ("speed",),
) -> None:
    """Add the clips' samples to a cache folder that ``write_mel`` made from the same speech."""
    cache, count = Cache.open(folder), 0
    partial = folder / "audio.part"
    with partial.open("wb") as out:
        for clip, padded in padded_clips(speech, skip, copies):
            if count == len(cache.clips) or clip != cache.clips[count]:
                raise ValueError(
                    f"{clip.corpus}/{clip.name} of {speech} is not clip {count} of {folder}: "
                    "give the speech and the copies that the cache was made with"
                )
            out.write(np.clip(np.round(padded * 32_768), -32_768, 32_767).astype("<i2").tobytes())
            count += 1
    if count != len(cache.clips):
        raise ValueError(
            f"{speech} has {count} of the {len(cache.clips)} clips of {folder}: make the cache anew"
        )
    partial.rename(folder / "audio.i16")


def write_teacher(folder: Path, name: str, teacher: WhisperTeacher, layers: list[int]) -> None:
    """Add a teacher's targets to a cache folder; ``layers`` counts its blocks from 1."""
    cache, began_s = Cache.open(folder), time.monotonic()
    mel = cache.mel()
    partial = folder / f"{name}.part"
    with partial.open("wb") as out:
        for i in range(len(cache.clips)):
            start, end = cache.offsets[i] * MEL_PER_TOKEN, cache.offsets[i + 1] * MEL_PER_TOKEN
            with torch.autocast("cpu", torch.bfloat16):  # off by 2 % of a deviation
                hidden = teacher(torch.from_numpy(mel[start:end].astype(np.float32)))
            pairs = torch.cat([hidden[layer - 1].float() for layer in layers], dim=1)
            out.write(((pairs[0::2] + pairs[1::2]) / 2).numpy().astype(np.float16).tobytes())
            if i % 2000 == 1999:
                print(
                    f"{name}: {i + 1}/{len(cache.clips)} clips, {time.monotonic() - began_s:.0f} s",
                    flush=True,
                )
    partial.rename(folder / f"{name}.f16")
