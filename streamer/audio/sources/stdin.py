"""Audio from a pipe: WAV, or raw s16le at 16 kHz, mono."""

import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Final

import numpy as np

from streamer.audio.sources.protocol import Delivered
from streamer.audio.sources.wav_stream import RAW, PcmFormat, read_header
from streamer.errors import UnreadableAudio
from streamer.types import Chunk, Notice

TICK_S: Final = 0.1
READ_BYTES: Final = 32_768
QUEUE_READS: Final = 64
SIGNATURES: Final = {
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"FORM": "AIFF",
    b"RIFX": "big-endian WAV",
}


class StdinSource:
    """A live source: what comes through the pipe, until its end.

    A thread reads ahead into a bounded queue (at most 2 MiB), so that a slow writer still lets
    the loop tick, and a fast one waits. Construction blocks until the first bytes tell the
    format. A WAV header of unknown length (as from ffmpeg or arecord) lasts until the end of the
    pipe. Bytes after the last whole sample are not audio and are left out.

    descriptor: a readable file descriptor; None is standard input. It is not closed.
    Raises UnreadableAudio, also while iterating where not one sample came.
    """

    kind = "stdin"
    name = "stdin"

    def __init__(self, descriptor: int | None = None) -> None:
        if descriptor is None and sys.stdin is None:
            raise UnreadableAudio("standard input is closed; pipe WAV or raw s16le into it")
        # One of its own: the thread may still read when the caller's is closed and used anew.
        self._descriptor = os.dup(sys.stdin.fileno() if descriptor is None else descriptor)
        self._reads: queue.Queue[bytes | OSError] = queue.Queue(QUEUE_READS)
        self._closed = False
        self._ended = False
        self._held = b""
        self._broken: OSError | None = None
        threading.Thread(target=self._read_ahead, name="stdin", daemon=True).start()
        self._pcm, self._bytes_left = self._sniff()
        self.rate_hz = self._pcm.rate_hz
        self.channels = self._pcm.channels

    def __iter__(self) -> Iterator[Delivered]:
        promised = self._bytes_left
        left = promised
        heard = 0
        while not self._closed:
            whole = len(self._held) if left is None else min(len(self._held), left)
            whole -= whole % self._pcm.frame_bytes
            if whole:
                raw, self._held = self._held[:whole], self._held[whole:]
                heard += whole
                left = None if left is None else left - whole
                yield Chunk(self._pcm.decode(raw), self.rate_hz, self.name)
            if self._ended or (left is not None and left < self._pcm.frame_bytes):
                break
            if not self._receive(TICK_S):
                yield self._tick()
        if self._closed:
            return
        if self._broken is not None:
            yield Notice(f"standard input broke off: {self._broken.strerror}")
        if not heard:
            raise UnreadableAudio("standard input held no samples; pipe WAV or raw s16le into it")
        if promised is not None and heard < promised - promised % self._pcm.frame_bytes:
            bytes_per_s = self.rate_hz * self._pcm.frame_bytes
            yield Notice(
                f"standard input is cut short: its header promises {promised / bytes_per_s:.2f} s, "
                f"{heard / bytes_per_s:.2f} s came"
            )
        if self._held.startswith(b"RIFF"):
            yield Notice("standard input holds more than one WAV file; only the first was heard")

    def close(self) -> None:
        """Stops listening; the reading thread ends with the process or the pipe."""
        self._closed = True

    def _sniff(self) -> tuple[PcmFormat, int | None]:
        start = self._peek(4)
        if len(start) < 2:
            raise UnreadableAudio("standard input is empty; pipe WAV or raw s16le into it")
        for signature, format_name in SIGNATURES.items():
            if start.startswith(signature):
                raise UnreadableAudio(
                    f"standard input is {format_name}, which cannot be heard from a pipe; "
                    "give the file with --input FILE, or convert: ffmpeg -i FILE -f wav -"
                )
        if start in (b"RIFF", b"RF64"):
            return read_header(self._take, "standard input")
        return RAW, None

    def _peek(self, count: int) -> bytes:
        while len(self._held) < count and not self._ended:
            self._receive(TICK_S)
        return self._held[:count]

    def _take(self, count: int) -> bytes:
        taken = self._peek(count)
        self._held = self._held[count:]
        return taken

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

    def _tick(self) -> Chunk:
        return Chunk(np.zeros((0, self.channels), np.float32), self.rate_hz, self.name)
