"""The teacher's answers, computed once and kept on disk beside the log-mel they belong to.

A cache folder holds ``clips.json`` (one row a clip), ``mel.f16`` (log10 mel power, 100 frames a
second) and one ``NAME.f16`` for each teacher (its layers side by side, 25 tokens a second: two of
Whisper's frames averaged). Clips are padded to whole tokens of 4 mel frames (40 ms), so that token
t of a clip belongs to its mel frames 4t .. 4t+3.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from streamer.training.logmel import BANDS, HOP, LogMel
from streamer.training.speech import Clip, read_clips
from streamer.training.teacher import WhisperTeacher

MEL_PER_TOKEN = 4
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

    def teacher(self, name: str) -> np.ndarray:
        """float16 [tokens, layers * width]."""
        path = self.folder / f"{name}.f16"
        if not path.is_file():
            raise FileNotFoundError(f"no targets of teacher '{name}' in {self.folder}")
        return np.memmap(path, np.float16, "r").reshape(int(self.offsets[-1]), -1)


def tokens(samples: int) -> int:
    """Tokens of 40 ms that a clip of so many samples fills (the last one perhaps in part)."""
    return -(-samples // (HOP * MEL_PER_TOKEN))


def write_mel(speech: Path, folder: Path, skip: frozenset[str] = frozenset()) -> None:
    """Make the cache folder: the clips' rows and their log-mel. Clips under 0.1 s are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    front, clips = LogMel(), []
    with (folder / "mel.f16").open("wb") as out:
        for clip, audio in read_clips(speech, skip):
            if len(audio) < MIN_SAMPLES:
                continue
            padded = np.zeros(tokens(len(audio)) * HOP * MEL_PER_TOKEN, np.float32)
            padded[: len(audio)] = audio
            with torch.no_grad():
                mel = front(torch.from_numpy(padded)[None])[0, :-1].numpy()
            mel[-(-len(audio) // HOP) :] = SILENT
            out.write(mel.astype(np.float16).tobytes())
            clips.append(asdict(clip))
    (folder / "clips.json").write_text(json.dumps(clips))


def write_teacher(folder: Path, name: str, teacher: WhisperTeacher, layers: list[int]) -> None:
    """Add a teacher's targets to a cache folder; ``layers`` counts its blocks from 1."""
    cache, began_s = Cache.open(folder), time.monotonic()
    mel = cache.mel()
    partial = folder / f"{name}.part"
    with partial.open("wb") as out:
        for i in range(len(cache.clips)):
            start, end = cache.offsets[i] * MEL_PER_TOKEN, cache.offsets[i + 1] * MEL_PER_TOKEN
            hidden = teacher(torch.from_numpy(mel[start:end].astype(np.float32)))
            pairs = torch.cat([hidden[layer - 1] for layer in layers], dim=1)
            out.write(((pairs[0::2] + pairs[1::2]) / 2).numpy().astype(np.float16).tobytes())
            if i % 2000 == 1999:
                print(
                    f"{name}: {i + 1}/{len(cache.clips)} clips, {time.monotonic() - began_s:.0f} s",
                    flush=True,
                )
    partial.rename(folder / f"{name}.f16")
