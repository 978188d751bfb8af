"""The audio of a corpus's clips, as encoders expect it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from streamer.audio.resampling import Resampler
from streamer.audio.sources.recording import Recording
from streamer.errors import UnreadableAudio
from streamer.evaluation.corpus import CorpusClip
from streamer.types import Samples

_BLOCK_SAMPLES: Final = 1 << 16
_SHORTAGE_S: Final = 0.1


class ClipSound:
    """Reads clips; fastest when those of one file come in order of position.

    Files are read forward only: seeking is not exact in every compressed format.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._recording: Recording | None = None
        self._blocks: Iterator[Samples] = iter(())
        self._rest: Samples = np.empty((0, 1), np.float32)
        self._at = 0  # the source sample at which `_rest` begins

    def read(self, clip: CorpusClip) -> Samples:
        """float32 [n] at 16 kHz, mono, in about [-1, 1].

        Raises UnreadableAudio for a file that is not audio or ends before the clip does, and for a
        clip of zeros or with values that are not finite.
        """
        if clip.path is None:
            raise UnreadableAudio(f"{clip.utterance} is a row of a table and has no audio")
        recording = self._open(clip.path, clip.start_s)
        start = round(clip.start_s * recording.rate_hz)
        end = None if clip.end_s is None else round(clip.end_s * recording.rate_hz)
        samples = self._cut(start, end)
        wanted = 1 if end is None else end - start - _SHORTAGE_S * recording.rate_hz
        if len(samples) < max(1, wanted):
            why = recording.notices[0].text if recording.notices else "it is shorter"
            raise UnreadableAudio(
                f"{clip.path} ends before {clip.utterance} does ({why}); "
                "get the corpus's archive again"
            )
        if not np.isfinite(samples).all():
            raise UnreadableAudio(f"{clip.path} contains values that are not finite")
        if not samples.any():
            raise UnreadableAudio(f"{clip.path} contains only zeros for {clip.utterance}")
        resampler = Resampler(recording.rate_hz, recording.channels, clip.channel)
        return np.concatenate([resampler.push(samples), resampler.finish()])

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()
        self._recording = self._path = None

    def _open(self, path: Path, start_s: float) -> Recording:
        recording = self._recording
        if recording is None or path != self._path or round(start_s * recording.rate_hz) < self._at:
            self.close()
            recording = Recording(path)
            self._path, self._recording, self._at = path, recording, 0
            self._blocks = recording.blocks(_BLOCK_SAMPLES)
            self._rest = np.empty((0, recording.channels), np.float32)
        return recording

    def _cut(self, start: int, end: int | None) -> Samples:
        """Samples [start, end) of the open file, fewer at its end. start >= `_at`."""
        pieces: list[Samples] = []
        while end is None or self._at < end:
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = block
            size = len(self._rest)
            first = min(max(start - self._at, 0), size)
            last = size if end is None else min(end - self._at, size)
            pieces.append(self._rest[first:last])
            self._rest = self._rest[last:]
            self._at += last
        return np.concatenate(pieces) if pieces else self._rest[:0]
