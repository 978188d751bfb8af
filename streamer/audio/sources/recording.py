"""One audio file, read from its start to its end in blocks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streamer.audio.resampling import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from streamer.audio.sources import flac, mpeg, ogg, signatures
from streamer.audio.sources.byte_range import ByteRange
from streamer.audio.sources.libsndfile import LibsndfileDecoder, reason
from streamer.audio.sources.media import Decoder, can_open_media, open_media
from streamer.audio.sources.wav_file import WavDecoder
from streamer.errors import UnreadableAudio
from streamer.types import Notice, Samples

GIVE: Final = "give WAV, FLAC, OGG, Opus or MP3, or convert: ffmpeg -i FILE out.wav"


class Recording:
    """An open file: WAV, FLAC, Ogg, MP3, and whatever else libsndfile or FFmpeg reads.

    rate_hz, channels: of the block that comes next; they change where files of different ones
    were joined. notices: complete after the last block, what may be missing, and why. Raises
    UnreadableAudio for a file that is missing, no audio, without a sample, or of a rate that no
    microphone has.
    """

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_file():
            # Opened, a pipe without a writer would never answer.
            raise UnreadableAudio(f"{path} is not a regular file; pipe it in: --input - < {path}")
        self._extra: list[Notice] = []
        self._decoder = self._open(path)
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            self.close()
            raise UnreadableAudio(
                f"{path} says that it has {self.rate_hz:,} samples a second; give a recording of "
                f"{LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}"
            )

    @property
    def rate_hz(self) -> int:
        return self._decoder.rate_hz

    @property
    def channels(self) -> int:
        return self._decoder.channels

    @property
    def notices(self) -> list[Notice]:
        return [*self._extra, *self._decoder.notices]

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """float32 [n, channels], 0 < n <= block_samples, in order, to the end or to the first
        place that cannot be decoded (the block that holds it is left out)."""
        return self._decoder.blocks(block_samples)

    def close(self) -> None:
        self._decoder.close()

    def _open(self, path: Path) -> Decoder:
        start = _start_of(path)
        found = signatures.audio_format(start)
        other = None if found else signatures.other_format(start)
        if other not in (None, signatures.TEXT):
            raise UnreadableAudio(f"{path} is {other}, not audio; give a recording")
        if found == signatures.WAV:
            try:
                decoder = WavDecoder(path)
            except UnreadableAudio:
                pass  # compressed, or broken: libsndfile knows, or says why
            else:
                return _not_empty(decoder, path)
        try:
            decoded = self._by_libsndfile(path, found)
        except Exception as error:
            if found not in (None, signatures.WAV) and can_open_media():
                return open_media(path, str(path))
            raise UnreadableAudio(_why_not(path, found, other, error)) from error
        return _not_empty(decoded, path)

    def _by_libsndfile(self, path: Path, found: str | None) -> LibsndfileDecoder:
        if found == signatures.OGG:
            ranges, unknown = ogg.parts(path)
            self._tell_unknown(unknown)
            if len(ranges) > 1:
                return LibsndfileDecoder(path, [ByteRange(path, *each) for each in ranges])
        elif found == signatures.FLAC:
            bounds = flac.parts(path)
            if len(bounds) > 1:
                return LibsndfileDecoder(path, [ByteRange(path, *each) for each in bounds])
        elif found == signatures.MP3:
            parts, unknown = mpeg.parts(path)
            self._tell_unknown(unknown)
            if parts and (len(parts) > 1 or not parts[0].has_length):
                seconds = sum(part.samples / part.rate_hz for part in parts)
                return LibsndfileDecoder(path, [_part(path, part) for part in parts], seconds)
        return LibsndfileDecoder(path)

    def _tell_unknown(self, count: int) -> None:
        if count:
            text = f"{count:,} bytes are not audio and were skipped"
            self._extra.append(Notice(text, "undecoded"))


def _start_of(path: Path) -> bytes:
    if not path.exists():
        raise UnreadableAudio(
            f"{path} does not exist; give a file or folder of audio, or - for standard input"
        )
    try:
        with path.open("rb") as file:
            start = file.read(signatures.LOOK_BYTES)
    except OSError as error:
        raise UnreadableAudio(f"{path} cannot be read ({error.strerror}); {GIVE}") from error
    if not start:
        raise UnreadableAudio(f"{path} is empty; give another recording")
    return start


def _part(path: Path, part: mpeg.Part) -> ByteRange:
    """One of the joined MP3 files, with a first frame that tells its length."""
    prefix = b""
    if not part.has_length:
        with path.open("rb") as file:
            file.seek(part.start)
            prefix = mpeg.length_frame(file.read(4), part.frames)
    return ByteRange(path, part.start, part.end, prefix)


def _not_empty(decoder: WavDecoder | LibsndfileDecoder, path: Path) -> Decoder:
    if decoder.is_empty:
        decoder.close()
        raise UnreadableAudio(f"{path} holds no samples; give another recording")
    return decoder


def _why_not(path: Path, found: str | None, other: str | None, error: Exception) -> str:
    if isinstance(error, TypeError):
        return f"{path} has no header; pipe it as raw s16le at 16 kHz: --input - < FILE"
    if other is not None:
        return f"{path} cannot be read as audio (it is {other}); {GIVE}"
    if found not in (None, signatures.WAV):
        return (
            f"{path} is {found}, which cannot be read here ({reason(error)}): pip install "
            "'streamer[media]' (or install ffmpeg), or convert: ffmpeg -i FILE out.wav"
        )
    return f"{path} cannot be read as audio ({reason(error)}); {GIVE}"
