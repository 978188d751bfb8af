"""Formats that libsndfile reads, as one or several parts of a file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer.audio.sources.byte_range import ByteRange
from streamer.types import Notice, Samples

UNKNOWN_FRAMES: Final = 2**62
SHORTAGE_S: Final = 0.1
# In a block: what a header says of channels must not decide how much memory is taken.
MOST_VALUES: Final = 4_000_000


class LibsndfileDecoder:
    """A recording that one or several files make up, joined: `parts` of its path; None: the whole.

    promised_s: what a count of its frames says that there is; None where only its header tells.
    Raises SoundFileError, OSError, TypeError or ValueError for what it cannot open.
    """

    is_live = False

    def __init__(
        self,
        path: Path,
        parts: list[ByteRange] | None = None,
        promised_s: float | None = None,
    ) -> None:
        import soundfile  # type: ignore[import-untyped, unused-ignore]

        self._errors = (soundfile.SoundFileError, OSError, RuntimeError)
        self._parts = parts[1:] if parts else []
        self._count = len(self._parts)
        self._soundfile = _forward_only(soundfile)
        self._file: Any = self._soundfile(parts[0] if parts else os.fsencode(path))
        self._promised_s = promised_s
        self.notices: list[Notice] = []
        self.rate_hz: int = self._file.samplerate
        self.channels: int = self._file.channels

    @property
    def is_empty(self) -> bool:
        return bool(self._file.frames == 0)

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        heard_s = promised_s = 0.0
        while True:
            read, complaint = 0, ""
            size = min(block_samples, max(1, MOST_VALUES // self.channels))
            while True:
                block = np.empty((size, self.channels), np.float32)
                try:
                    count = self._file.buffer_read_into(block, dtype="float32")
                except self._errors as error:
                    complaint = reason(error)
                    break
                if not count:
                    break
                read += count
                yield block[:count]
            heard_s += read / self.rate_hz
            frames: int = self._file.frames
            promised_s += (frames if frames < UNKNOWN_FRAMES else read) / self.rate_hz
            if complaint:
                self._tell(f"broken after {heard_s:.2f} s ({complaint})")
            if not self._parts or not self._next_part(heard_s):
                break
        if self._promised_s is not None:
            promised_s = self._promised_s
        # Encoders add up to 0.1 s to each of the joined ones, which decoders take away again.
        least_s = promised_s - SHORTAGE_S * (1 + self._count)
        if not self.notices and heard_s < least_s:
            self._tell(f"cut short: {promised_s:.2f} s promised, {heard_s:.2f} s there")

    def close(self) -> None:
        self._file.close()

    def _next_part(self, heard_s: float) -> bool:
        part = self._parts.pop(0)
        self._file.close()
        try:
            self._file = self._soundfile(part)
        except (*self._errors, TypeError, ValueError) as error:
            self._tell(f"what was joined after {heard_s:.2f} s cannot be read ({reason(error)})")
            return False
        self.rate_hz, self.channels = self._file.samplerate, self._file.channels
        return True

    def _tell(self, text: str) -> None:
        self.notices.append(Notice(text, "undecoded"))


def reason(error: Exception) -> str:
    """libsndfile's own words without the path, or the system's."""
    text: str = getattr(error, "error_string", "") or getattr(error, "strerror", "") or str(error)
    return text.removeprefix("Error : ").rstrip(".").strip()


def _forward_only(soundfile: Any) -> Any:
    """SoundFile seeks to where it already is after every read, which breaks Opus's decoding."""

    class ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return ForwardOnly
