"""A WAV file of plain samples, by the same rules as a WAV stream from a pipe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from streamer.audio.sources.full_scale import full_scale, is_beyond
from streamer.audio.sources.libsndfile import MOST_VALUES
from streamer.audio.sources.wav_parser import Piece, WavParser
from streamer.types import Notice, Samples

_READ_BYTES: Final = 262_144


class WavDecoder:
    """PCM or float, RIFF or RF64, one file or several joined.

    Float samples far beyond 1 are integers that were never scaled: the file is searched for the
    largest, and all are divided by the full scale that fits. Raises UnreadableAudio, OSError.
    """

    is_live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._parser = WavParser("it")
        self._scale = 1.0
        self._held: list[Piece] = []
        while not self._held:
            data = self._file.read(_READ_BYTES)
            self._held += self._parser.feed(data) if data else self._parser.finish()
            if not data:
                break
        assert self._parser.pcm is not None
        self.is_empty = not self._held
        self.rate_hz = self._parser.pcm.rate_hz
        self.channels = self._parser.pcm.channels

    @property
    def notices(self) -> list[Notice]:
        return self._parser.notices

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        most = block_samples
        block_samples = min(most, max(1, MOST_VALUES // self.channels))
        pending: list[Samples] = []
        count = 0
        for pcm, samples in self._pieces():
            if (pcm.rate_hz, pcm.channels) != (self.rate_hz, self.channels):
                if count:
                    yield np.concatenate(pending)
                pending, count = [], 0
                self.rate_hz, self.channels = pcm.rate_hz, pcm.channels
                block_samples = min(most, max(1, MOST_VALUES // self.channels))
            if pcm.is_float:
                samples = self._scaled(samples)
            pending.append(samples)
            count += len(samples)
            if count >= block_samples:
                together = np.concatenate(pending)
                whole = count // block_samples * block_samples
                for at in range(0, whole, block_samples):
                    yield together[at : at + block_samples]
                pending, count = [together[whole:]], count - whole
        if count:
            yield np.concatenate(pending)

    def close(self) -> None:
        self._file.close()

    def _pieces(self) -> Iterator[Piece]:
        held, self._held = self._held, []
        yield from held
        while data := self._file.read(_READ_BYTES):
            yield from self._parser.feed(data)
        yield from self._parser.finish()

    def _scaled(self, samples: Samples) -> Samples:
        if self._scale == 1.0 and is_beyond(samples):
            peak = _peak(self._path)
            self._scale = full_scale(peak)
            self.notices.append(
                Notice(
                    f"float samples up to {peak:,.0f}: integers that were never scaled, divided by "
                    f"{self._scale:,.0f}",
                    "clipping",
                )
            )
        return samples if self._scale == 1.0 else samples / np.float32(self._scale)


def _peak(path: Path) -> float:
    """The largest magnitude among the finite samples of a file."""
    parser = WavParser("it")
    peak = 0.0
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            for _, samples in parser.feed(data):
                finite = samples[np.isfinite(samples)]
                peak = max(peak, float(np.abs(finite).max(initial=0.0)))
    return peak
