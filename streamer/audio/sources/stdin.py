"""Audio from a pipe: WAV, whatever a file may be, or raw s16le at 16 kHz, mono."""

import math
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from streamer.audio.sources import signatures
from streamer.audio.sources.full_scale import full_scale, is_beyond
from streamer.audio.sources.live_decoder import LiveDecoder
from streamer.audio.sources.media import open_media
from streamer.audio.sources.ogg import PageCounter
from streamer.audio.sources.protocol import Delivered
from streamer.audio.sources.recording import Recording
from streamer.audio.sources.wav_parser import Piece, WavParser, looks_like_samples
from streamer.audio.sources.wav_stream import RAW, PcmFormat
from streamer.errors import UnreadableAudio
from streamer.types import Chunk, Notice

TICK_S: Final = 0.1
SIGNATURE_BYTES: Final = 16
PATIENCE_S: Final = 0.3
READ_BYTES: Final = 32_768
QUEUE_READS: Final = 64
PIPE: Final = "pipe WAV or raw s16le into it"


class Parser(Protocol):
    """Bytes in, samples out: see `WavParser`."""

    notices: list[Notice]

    @property
    def pcm(self) -> PcmFormat | None: ...
    def feed(self, data: bytes) -> Iterator[Piece]: ...
    def finish(self) -> Iterator[Piece]: ...


class RawParser:
    """s16le at 16 kHz, mono; half a sample at the end is left out."""

    def __init__(self) -> None:
        self.pcm: PcmFormat | None = RAW
        self.notices: list[Notice] = []
        self._held = b""

    def feed(self, data: bytes) -> Iterator[Piece]:
        held = self._held + data
        whole = len(held) - len(held) % RAW.frame_bytes
        self._held = held[whole:]
        if whole:
            yield RAW, RAW.decode(held[:whole])

    def finish(self) -> Iterator[Piece]:
        yield from ()


class StdinSource:
    """A live source: what comes through the pipe, until its end.

    A thread reads ahead into a bounded queue (at most 2 MiB), so that a slow writer still lets
    the loop tick, and a fast one waits. Construction blocks until the first bytes tell the
    format. WAV and raw samples are heard as they come; of the other formats, those that FFmpeg
    decodes as they come, too, where PyAV is installed; the rest is kept in a temporary file until
    the pipe ends.

    descriptor: a readable file descriptor; None is standard input. It is not closed.
    Raises UnreadableAudio, also while iterating where not one sample came.
    """

    kind = "stdin"
    name = "stdin"

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None and sys.stdin is None:
            raise UnreadableAudio(f"standard input is closed; {PIPE}")
        # One of its own: the thread may still read when the caller's is closed and used anew.
        self._descriptor = os.dup(sys.stdin.fileno() if descriptor is None else descriptor)
        self._reads: queue.Queue[bytes | OSError] = queue.Queue(QUEUE_READS)
        self._closed = False
        self._ended = False
        self._held = b""
        self._broken: OSError | None = None
        self._scale = 1.0
        self._pieces: list[Piece] = []
        self._parser: Parser | None = None
        self._decoder: LiveDecoder | Recording | None = None
        self._pages: PageCounter | None = None
        threading.Thread(target=self._read_ahead, name="stdin", daemon=True).start()
        self.rate_hz, self.channels = self._begin()

    def __iter__(self) -> Iterator[Delivered]:
        heard = False
        items = self._decoded() if self._parser is None else self._parsed(self._parser)
        for item in items:
            if self._closed:
                return
            heard = heard or (isinstance(item, Chunk) and len(item.samples) > 0)
            yield item
        if self._broken is not None:
            yield Notice(f"standard input broke off: {self._broken.strerror}", "undecoded")
        if not heard:
            raise UnreadableAudio(f"standard input held no samples; {PIPE}")
        for notice in (self._parser or self._decoder).notices:  # type: ignore[union-attr]
            yield Notice(f"standard input: {notice.text}", notice.kind)
        yield from self._tell_unknown()

    def _tell_unknown(self) -> Iterator[Notice]:
        """FFmpeg passes over what is no page of an Ogg stream without a word."""
        if self._pages is None:
            return
        self._pages.finish()
        if self._pages.unknown:
            count = f"{self._pages.unknown:,} bytes"
            yield Notice(f"standard input: {count} are not audio and were skipped", "undecoded")

    def close(self) -> None:
        """Stops listening; the reading thread ends with the process or the pipe."""
        self._closed = True
        if self._decoder is not None:
            self._decoder.close()

    def _begin(self) -> tuple[int, int]:
        start = self._peek(SIGNATURE_BYTES)
        if signatures.audio_format(start) is None:
            # Raw samples of a microphone come slowly: nobody waits for many of them.
            start = self._peek(signatures.LOOK_BYTES, PATIENCE_S)
        if len(start) < 2:
            raise UnreadableAudio(f"standard input is empty; {PIPE}")
        found = signatures.audio_format(start)
        if found is None:
            self._refuse(start)
            self._parser = RawParser()
            return RAW.rate_hz, RAW.channels
        if found == signatures.WAV:
            try:
                return self._begin_wav()
            except UnreadableAudio:
                if not _is_compressed(start):
                    raise
        self._decoder = self._open_decoder(found)
        return self._decoder.rate_hz, self._decoder.channels

    def _begin_wav(self) -> tuple[int, int]:
        parser = WavParser("standard input")
        fed = 0
        while parser.pcm is None:
            data = self._peek(fed + 1)[fed:]
            fed += len(data)
            self._pieces += parser.feed(data) if data else parser.finish()
        self._held = self._held[fed:]
        self._parser = parser
        return parser.pcm.rate_hz, parser.pcm.channels

    def _refuse(self, start: bytes) -> None:
        """What has no signature is raw samples, or nothing that can be heard."""
        other = signatures.other_format(start)
        if other is not None:
            raise UnreadableAudio(f"standard input is {other}, not audio; {PIPE}")
        if len(start) >= signatures.LOOK_BYTES and not looks_like_samples(RAW, start):
            raise UnreadableAudio(
                "standard input is no format that is known here, and no raw s16le either (read as "
                f"such it is noise at full scale); {PIPE}"
            )

    def _open_decoder(self, found: str) -> LiveDecoder | Recording:
        if found in signatures.STREAMED and _has_av():
            self._pages = PageCounter() if found == signatures.OGG else None
            return LiveDecoder(lambda: open_media(self, "standard input"), self.name)
        # The file has no name of its own any more once it is open, and is gone with this process.
        with tempfile.NamedTemporaryFile(prefix="streamer-") as file:
            while data := self.read(READ_BYTES):
                file.write(data)
            file.flush()
            try:
                return Recording(Path(file.name))
            except UnreadableAudio as error:
                said = str(error).replace(file.name, "standard input")
                raise UnreadableAudio(said) from error

    def read(self, count: int = -1) -> bytes:
        """As of a file: up to `count` bytes, none at the end. For decoders."""
        while not self._held and not self._ended and not self._closed:
            self._receive(TICK_S)
        count = len(self._held) if count < 0 else count
        taken, self._held = self._held[:count], self._held[count:]
        if self._pages is not None:
            self._pages.feed(taken)
        return taken

    def _parsed(self, parser: Parser) -> Iterator[Delivered]:
        pieces, self._pieces = self._pieces, []
        yield from self._chunks(pieces)
        while not self._closed:
            if self._held:
                data, self._held = self._held, b""
                yield from self._chunks(parser.feed(data))
            if self._ended and not self._held:
                break
            if not self._receive(TICK_S):
                yield Chunk(np.zeros((0, self.channels), np.float32), self.rate_hz, self.name)
        if not self._closed:
            yield from self._chunks(parser.finish())

    def _chunks(self, pieces: "Iterator[Piece] | list[Piece]") -> Iterator[Delivered]:
        for pcm, samples in pieces:
            self.rate_hz, self.channels = pcm.rate_hz, pcm.channels
            if pcm.is_float and is_beyond(samples / np.float32(self._scale)):
                self._scale = full_scale(float(np.abs(samples[np.isfinite(samples)]).max()))
                yield Notice(
                    "standard input: float samples that were never scaled, divided by "
                    f"{self._scale:,.0f}",
                    "clipping",
                )
            if self._scale != 1.0:
                samples = samples / np.float32(self._scale)
            yield Chunk(samples, self.rate_hz, self.name)

    def _decoded(self) -> Iterator[Delivered]:
        decoder = self._decoder
        if isinstance(decoder, LiveDecoder):
            yield from decoder
        elif decoder is not None:
            for samples in decoder.blocks(max(1, decoder.rate_hz // 2)):
                yield Chunk(samples, decoder.rate_hz, self.name)

    def _peek(self, count: int, patience_s: float = math.inf) -> bytes:
        """All that is held, once it is `count` bytes or the end or so long has passed."""
        until_s = time.monotonic() + patience_s
        while len(self._held) < count and not self._ended and time.monotonic() < until_s:
            self._receive(TICK_S)
        return self._held

    def _receive(self, timeout_s: float) -> bool:
        try:
            read = self._reads.get(timeout=timeout_s)
        except queue.Empty:
            return False
        if isinstance(read, OSError):
            self._broken = read
        elif read:
            self._held += read
        self._ended = isinstance(read, OSError) or not read
        return True

    def _read_ahead(self) -> None:
        """In the thread: hands over every read; an empty one or an error is the end."""
        read: bytes | OSError = b"-"
        while read and not isinstance(read, OSError) and not self._closed:
            try:
                read = os.read(self._descriptor, READ_BYTES)
            except OSError as error:
                read = error
            self._hand_over(read)
        os.close(self._descriptor)

    def _hand_over(self, read: bytes | OSError) -> None:
        while not self._closed:
            try:
                self._reads.put(read, timeout=1.0)
            except queue.Full:
                continue
            return


def _is_compressed(start: bytes) -> bool:
    """A WAV header of an encoding that is neither PCM nor float."""
    at = start.find(b"fmt ")
    return at >= 0 and len(start) >= at + 10 and start[at + 8 : at + 10] not in (
        b"\x01\x00", b"\x03\x00", b"\xfe\xff",
    )  # fmt: skip


def _has_av() -> bool:
    from importlib.util import find_spec

    return find_spec("av") is not None
