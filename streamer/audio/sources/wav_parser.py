"""A stream of WAV bytes, cut anywhere, to samples: one set of rules for files and pipes.

What a header says of the length of its samples is often wrong: recorders that were killed leave 0
or what they had by then, writers to a pipe leave 0 or all ones. So the samples are followed as far
as they go. After the length that the header says may come: the end; chunks of metadata; another WAV
file, joined; more samples, if they look like samples; or something else, which is counted.
"""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from streamer.audio.sources.wav_stream import PcmFormat, decode_header
from streamer.errors import UnreadableAudio
from streamer.types import Notice, Samples

Piece = tuple[PcmFormat, Samples]
SHORTAGE_S: Final = 0.1
# How much of what follows is looked at, to tell samples from something else.
LOOK_BYTES: Final = 32_768
FULL_NOISE_RMS: Final = 0.45
LEAST_CORRELATION: Final = 0.3
_CHUNK_HEAD: Final = 8


class WavParser:
    """`feed` it what comes, in order, then `finish`; both give the samples that are whole.

    pcm: the format of the samples that come next; None before the first header is whole.
    notices: what is wrong with it, complete after `finish`. name: for messages.
    Raises UnreadableAudio from `feed` and `finish` where the first header cannot be read.
    """

    def __init__(self, name: str) -> None:
        self.pcm: PcmFormat | None = None
        self.notices: list[Notice] = []
        self._name = name
        self._buffer = bytearray()
        self._step = self._header
        self._left: int | None = None
        self._skip = 0
        self._promised = self._taken = self._unknown_bytes = 0
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._buffer += data
        yield from self._run()

    def finish(self) -> Iterator[Piece]:
        """No more bytes will come."""
        self._ended = True
        yield from self._run()
        if self.pcm is None:
            raise UnreadableAudio(
                f"{self._name} cannot be read: the WAV header ends before its samples; give "
                "another recording"
            )
        self._tell_shortage()
        if self._unknown_bytes:
            self._notices_undecoded()

    def _run(self) -> Iterator[Piece]:
        while True:
            step = self._step
            yield from step()
            if self._step == step:  # it waits for more
                return

    def _header(self) -> Iterator[Piece]:
        """From RIFF to the first sample."""
        try:
            found = decode_header(self._buffer, self._name)
        except UnreadableAudio as error:
            if self.pcm is None:
                raise
            self.notices.append(Notice(f"a second WAV file in it: {error}", "undecoded"))
            self._step = self._rest
            return
        if found is not None:
            self.pcm, size, header_bytes = found
            del self._buffer[:header_bytes]
            self._left, self._promised, self._taken = size, size or 0, 0
            self._step = self._samples
        elif self._ended and self.pcm is not None:
            self._step = self._rest
        yield from ()

    def _samples(self) -> Iterator[Piece]:
        assert self.pcm is not None
        there = len(self._buffer) if self._left is None else min(len(self._buffer), self._left)
        whole = there - there % self.pcm.frame_bytes
        if whole:
            raw = bytes(self._buffer[:whole])
            del self._buffer[:whole]
            self._taken += whole
            if self._left is not None:
                self._left -= whole
            yield self.pcm, self.pcm.decode(raw)
        if self._left is not None and self._left < self.pcm.frame_bytes:
            # Chunks begin at even positions.
            self._skip = self._left + self._promised % 2
            self._step = self._skipped

    def _skipped(self) -> Iterator[Piece]:
        """Bytes of no sample: padding, the rest of half a sample, a chunk of metadata."""
        count = min(self._skip, len(self._buffer))
        del self._buffer[:count]
        self._skip -= count
        if not self._skip:
            self._step = self._after
        yield from ()

    def _after(self) -> Iterator[Piece]:
        """Where the samples should be at their end."""
        assert self.pcm is not None
        buffer = self._buffer
        if not buffer or (len(buffer) < LOOK_BYTES and not self._ended):
            return
        if bytes(buffer[:4]) in (b"RIFF", b"RF64") and buffer[8:12] == b"WAVE":
            self._tell_shortage()
            self._step = self._header
        elif (size := _chunk_bytes(buffer)) is not None:
            self._skip = size
            self._step = self._skipped
        elif looks_like_samples(self.pcm, bytes(buffer[:LOOK_BYTES])):
            bytes_per_s = self.pcm.rate_hz * self.pcm.frame_bytes
            self.notices.append(
                Notice(
                    f"its header promises {self._promised / bytes_per_s:.2f} s, more is there and "
                    "is heard"
                )
            )
            self._left, self._promised = None, 0
            self._step = self._samples
        else:
            self._step = self._rest
        yield from ()

    def _rest(self) -> Iterator[Piece]:
        """What is none of it, to the end."""
        self._unknown_bytes += len(self._buffer)
        self._buffer.clear()
        yield from ()

    def _tell_shortage(self) -> None:
        if self.pcm is None or not self._promised:
            return
        bytes_per_s = self.pcm.rate_hz * self.pcm.frame_bytes
        if self._promised - self._taken > SHORTAGE_S * bytes_per_s:
            self.notices.append(
                Notice(
                    f"cut short: {self._promised / bytes_per_s:.2f} s promised, "
                    f"{self._taken / bytes_per_s:.2f} s there",
                    "undecoded",
                )
            )

    def _notices_undecoded(self) -> None:
        self.notices.append(
            Notice(
                f"{self._unknown_bytes:,} bytes after the samples are not samples and were skipped",
                "undecoded",
            )
        )


def looks_like_samples(pcm: PcmFormat, raw: bytes) -> bool:
    """Bytes that are no samples are, read as such, noise at full scale, or no numbers."""
    samples = pcm.decode(raw[: len(raw) // pcm.frame_bytes * pcm.frame_bytes])
    if not samples.size:
        return False
    wide = samples[:, 0].astype(np.float64)
    if not np.isfinite(wide).all():
        return False
    power = float(np.mean(wide**2))
    if power < FULL_NOISE_RMS**2 or len(wide) < 2:
        return True
    if power > 1.0 and pcm.is_float and np.abs(wide).max() > 2.0**32:
        return False
    middle = wide - wide.mean()
    correlation = float(middle[1:] @ middle[:-1]) / float(middle @ middle + 1e-30)
    return correlation > LEAST_CORRELATION


def _chunk_bytes(buffer: bytearray) -> int | None:
    """Bytes of the chunk that begins here, its head and padding included; None for no chunk."""
    if len(buffer) < _CHUNK_HEAD:
        return None
    tag, size = bytes(buffer[:4]), int(struct.unpack("<I", buffer[4:8])[0])
    if not all(48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c in (32, 95) for c in tag):
        return None
    if not tag.strip() or size > 64 * 1024 * 1024:
        return None
    return _CHUNK_HEAD + size + size % 2
