"""A part of a file as a file of its own, for decoders that read only one recording."""

import io
import os
from pathlib import Path


class ByteRange:
    """Bytes [start, end) of a file behind `prefix`; read-only, seekable, as soundfile wants it."""

    def __init__(self, path: Path, start: int, end: int, prefix: bytes = b"") -> None:
        self._file = path.open("rb")
        self._start = start
        self._prefix = prefix
        self._size = len(prefix) + end - start
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        size = self._size - self._at if size < 0 else min(size, self._size - self._at)
        taken = self._prefix[self._at : self._at + size]
        self._at += len(taken)
        if len(taken) < size:
            self._file.seek(self._start + self._at - len(self._prefix))
            more = self._file.read(size - len(taken))
            self._at += len(more)
            taken += more
        return taken

    def readinto(self, buffer: memoryview) -> int:
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = min(max(0, base + offset), self._size)
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:
        raise io.UnsupportedOperation("read only")

    def close(self) -> None:
        self._file.close()
