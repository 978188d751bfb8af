"""A WAV header read from a pipe, and its samples as float32."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.audio.resampling import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from streamer.errors import UnreadableAudio
from streamer.types import Samples

PCM: Final = 1
FLOAT: Final = 3
EXTENSIBLE: Final = 0xFFFE
BITS: Final = {PCM: (8, 16, 24, 32), FLOAT: (32, 64)}
# Writers that cannot seek back leave 0, 0xFFFFFFFF (ffmpeg) or about 0x7FFFFFFF (sox, arecord).
ENDLESS_FROM: Final = 0x7FFF_0000
MOST_CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How samples are laid out: little endian, channels interleaved.

    encoding: PCM or FLOAT. bits: of one sample, 8 (unsigned) to 64.
    """

    rate_hz: int
    channels: int
    encoding: int
    bits: int

    @property
    def is_float(self) -> bool:
        return self.encoding == FLOAT

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bits // 8

    def decode(self, raw: bytes) -> Samples:
        """Whole frames as float32 [n, channels]; integers are scaled to [-1, 1)."""
        if self.encoding == FLOAT:
            with np.errstate(over="ignore"):
                samples = np.frombuffer(raw, dtype=f"<f{self.bits // 8}").astype(np.float32)
        elif self.bits == 8:
            samples = (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / np.float32(128)
        else:
            samples = _integers(raw, self.bits).astype(np.float32) / np.float32(2**31)
        return samples.reshape(-1, self.channels)


RAW: Final = PcmFormat(rate_hz=16_000, channels=1, encoding=PCM, bits=16)


def decode_header(buffer: bytes | bytearray, name: str) -> tuple[PcmFormat, int | None, int] | None:
    """The format, how many bytes of samples follow, and how many the header takes.

    Bytes of samples is None where only the end of the stream tells. Returns None while the header
    is not whole. name: for messages. RF64 is read too.
    Raises UnreadableAudio where it is no WAV header or the encoding is a compressed one.
    """
    if len(buffer) < 12:
        return None
    if buffer[:4] not in (b"RIFF", b"RF64") or buffer[8:12] != b"WAVE":
        raise _unreadable(name, "no WAV header")
    pcm: PcmFormat | None = None
    size_64: int | None = None
    at = 12
    while len(buffer) >= at + 8:
        tag, size = bytes(buffer[at : at + 4]), int(struct.unpack_from("<I", buffer, at + 4)[0])
        at += 8
        if tag == b"data":
            if pcm is None:
                raise _unreadable(name, "the WAV header does not say what its samples are")
            if size_64 is not None and size == 0xFFFF_FFFF:
                size = size_64
            # What is written while it is recorded is 0, or a size that nothing has.
            known = 0 < size < (2**62 if size_64 else ENDLESS_FROM)
            return pcm, size if known else None, at
        if size > MOST_CHUNK_BYTES:
            raise _unreadable(name, f"a WAV header with {size:,} bytes of {tag!r}")
        if len(buffer) < at + size + size % 2:
            return None
        body = bytes(buffer[at : at + size])
        at += size + size % 2
        if tag == b"fmt ":
            pcm = _parse_format(body, name)
        elif tag == b"ds64" and size >= 16:
            size_64 = struct.unpack("<Q", body[8:16])[0]
    return None


def _parse_format(body: bytes, name: str) -> PcmFormat:
    if len(body) < 16:
        raise _unreadable(name, "a WAV header with a format that is too short")
    encoding, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", body[:16])
    if encoding == EXTENSIBLE and len(body) >= 26:
        encoding = struct.unpack("<H", body[24:26])[0]
    if bits not in BITS.get(encoding, ()):
        raise _unreadable(name, f"WAV encoding {encoding} with {bits} bits")
    if not channels or frame_bytes != channels * bits // 8:
        raise _unreadable(name, f"a WAV header with {channels} channels of {frame_bytes} bytes")
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise _unreadable(name, f"a WAV header with a rate of {rate_hz} Hz")
    return PcmFormat(rate_hz, channels, encoding, bits)


def _integers(raw: bytes, bits: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """16, 24 or 32 bits, moved up to 32."""
    size = bits // 8
    little = np.frombuffer(raw, np.uint8).reshape(-1, size)
    wide = np.zeros((len(little), 4), np.uint8)
    wide[:, 4 - size :] = little
    return wide.view("<i4").reshape(-1)


def _unreadable(name: str, what: str) -> UnreadableAudio:
    return UnreadableAudio(
        f"{name} cannot be read:  {what}; send WAV (PCM or float), or raw s16le at 16 kHz, mono"
    )
