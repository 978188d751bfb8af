"""One audio file, read from its start to its end in blocks."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer.audio.resampling import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from streamer.errors import UnreadableAudio
from streamer.types import Samples

UNKNOWN_FRAMES: Final = 2**62
SHORTAGE_S: Final = 0.1
# In a block: what a header says of channels must not decide how much memory is taken.
MOST_VALUES: Final = 4_000_000


class Recording:
    """An open file: WAV, FLAC, Ogg (Vorbis, Opus), MP3 and whatever else libsndfile reads.

    rate_hz, channels: of this file. complaint: after the last block, why it may not be the whole
    file (cut short, broken inside); None where it is. Raises UnreadableAudio for a file that is
    missing, no audio, without a sample, or of a rate that no microphone has.
    """

    def __init__(self, path: Path) -> None:
        import soundfile  # type: ignore[import-untyped, unused-ignore]

        if path.exists() and not path.is_file():
            # Opened, a pipe without a writer would never answer.
            raise UnreadableAudio(f"{path} is no regular file; pipe it in: --input - < {path}")
        self._path = path
        self._errors = (soundfile.SoundFileError, OSError)
        try:
            # soundfile takes a path without a suffix, or of a suffix ".raw", as headerless.
            self._file: Any = _forward_only(soundfile)(str(path))
        except (*self._errors, TypeError, ValueError) as error:
            raise UnreadableAudio(_why_not(path, error)) from error
        self.rate_hz: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.complaint: str | None = None
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            self._file.close()
            raise UnreadableAudio(
                f"{path} says that it has {self.rate_hz:,} samples a second; give a recording of "
                f"{LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}"
            )
        if self._file.frames == 0:
            self._file.close()
            raise UnreadableAudio(f"{path} holds no samples; give another recording")

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """float32 [n, channels], 0 < n <= block_samples, in order, to the end or to the first
        place that cannot be decoded (the block that holds it is left out)."""
        block_samples = min(block_samples, max(1, MOST_VALUES // self.channels))
        read = 0
        while True:
            block = np.empty((block_samples, self.channels), np.float32)
            try:
                count = self._file.buffer_read_into(block, dtype="float32")
            except self._errors as error:
                self.complaint = f"broken after {read / self.rate_hz:.2f} s ({_reason(error)})"
                return
            if not count:
                break
            read += count
            yield block[:count]
        promised = self._promised_samples()
        if promised is not None and promised - read > SHORTAGE_S * self.rate_hz:
            self.complaint = (
                f"cut short: {promised / self.rate_hz:.2f} s promised, "
                f"{read / self.rate_hz:.2f} s there"
            )

    def close(self) -> None:
        self._file.close()

    def _promised_samples(self) -> int | None:
        """What the header says; libsndfile corrects a WAV's to what is there."""
        in_header = _wav_promise(self._path)
        if in_header is not None:
            return in_header
        frames: int = self._file.frames
        return frames if frames < UNKNOWN_FRAMES else None


def _forward_only(soundfile: Any) -> Any:
    """SoundFile seeks to where it already is after every read, which breaks Opus's decoding."""

    class ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return ForwardOnly


def _wav_promise(path: Path) -> int | None:
    """Samples that a PCM or float WAV's header declares; None for others, or where it is open."""
    from streamer.audio.sources.wav_stream import read_header

    try:
        with path.open("rb") as file:
            pcm, size = read_header(file.read, path.name)
    except (UnreadableAudio, OSError, struct.error):
        return None
    return None if size is None else size // pcm.frame_bytes


def _why_not(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"{path} does not exist; give a file or folder of audio, or - for standard input"
    if not path.stat().st_size:
        return f"{path} is empty; give another recording"
    if isinstance(error, TypeError):
        return f"{path} has no header; pipe it as raw s16le at 16 kHz: --input - < FILE"
    return (
        f"{path} cannot be read as audio ({_reason(error)}); "
        "give WAV, FLAC, OGG, Opus or MP3, or convert: ffmpeg -i FILE out.wav"
    )


def _reason(error: Exception) -> str:
    """libsndfile's own words without the path, or the system's."""
    text: str = getattr(error, "error_string", "") or getattr(error, "strerror", "") or str(error)
    return text.removeprefix("Error : ").rstrip(".").strip()
