"""Corpora out of thin air (labels only, for what does not look at sound), and an encoder."""

from pathlib import Path

import numpy as np

from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.types import Samples


def corpus_of(*clips: CorpusClip, name: str = "made") -> Corpus:
    return Corpus(name, Path("nowhere"), clips)


def clip(
    number: int, speaker: str, session: str = "", recording: str = "", split: str = ""
) -> CorpusClip:
    return CorpusClip(
        f"u{number}", speaker=speaker, session=session, recording=recording, split=split
    )


class Level:
    """The smallest encoder: a clip's length and level. It can be told to stop."""

    name = "level"
    embedding_size = 2
    emotion_size = 1

    def __init__(self, sha256: str = "0" * 64, stop_after: int | None = None) -> None:
        self.sha256 = sha256
        self.encoded = 0
        self._stop_after = stop_after

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        if self.encoded == self._stop_after:
            raise KeyboardInterrupt
        self.encoded += 1
        level = np.sqrt(np.mean(audio**2))
        return np.array([len(audio), level], np.float32), np.array([1.0], np.float32)
