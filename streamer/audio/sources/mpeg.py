"""MPEG audio (MP3) without its decoder: where its frames are, and how long they last.

A decoder takes the length from the first frame (Xing's or LAME's header), or guesses it from the
size of the file where that is missing. Both are wrong for files that were joined, and the guess for
any whose bit rate varies. So the frames are counted, and a file is cut where another one begins.
"""

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BIT_RATES: Final = {  # kbit/s, by (is MPEG 1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_TAGS: Final = (b"Xing", b"Info")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. size: in bytes. tag_at: where Xing's header would stand in it.

    kind: MPEG version and layer, which all frames of a file share, as they do the rate.
    """

    kind: tuple[int, int]
    size: int
    samples: int
    rate_hz: int
    tag_at: int


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files that were joined: bytes [start, end), and what its frames hold.

    has_length: its first frame tells a decoder how many follow. head: its first frame's header.
    """

    start: int
    end: int
    frames: int
    samples: int
    rate_hz: int
    has_length: bool


def frame_at(data: "bytes | bytearray | mmap.mmap", at: int) -> Frame | None:
    """The frame whose header stands there, None for none. `data` has a length and items."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer_bits = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    bit_rate, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 1 or layer_bits == 0 or bit_rate in (0, 15) or rate == 3:
        return None
    layer, is_first = 4 - layer_bits, version == 3
    kind = version, layer
    rate_hz = _RATES_HZ[version][rate]
    bits = 1_000 * _BIT_RATES[is_first, layer][bit_rate]
    if layer == 1:
        return Frame(kind, (12 * bits // rate_hz + padding) * 4, 384, rate_hz, 0)
    samples = 1_152 if layer == 2 or is_first else 576
    is_mono = data[at + 3] >> 6 == 3
    side = (17 if is_mono else 32) if is_first else (9 if is_mono else 17)
    checksum = 0 if data[at + 1] & 1 else 2
    return Frame(
        kind, samples // 8 * bits // rate_hz + padding, samples, rate_hz, 4 + checksum + side
    )


def parts(path: Path) -> tuple[list[Part], int]:
    """The files that an MP3 file is made of, and how many bytes belong to none of them."""
    if not path.stat().st_size:
        return [], 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _parts(data)


def _parts(data: mmap.mmap) -> tuple[list[Part], int]:
    found: list[Part] = []
    unknown = 0
    at = start = end = _after_tags(data, 0)
    frames = samples = rate_hz = 0
    has_length = False
    now: tuple[tuple[int, int], int] | None = None

    def close() -> None:
        if frames:
            found.append(Part(start, min(end, len(data)), frames, samples, rate_hz, has_length))

    while at < len(data):
        frame = frame_at(data, at)
        same = frame is not None and (frame.kind, frame.rate_hz) == now
        if frame is None or (not same and not _begins(data, at)):
            after = _after_tags(data, at)
            if after == at:
                after = _next_frame(data, at + 1)
                unknown += after - at
            at, now = after, None  # what comes next has to be as sure as a beginning
            if not frames:
                start = at
            continue
        tagged = data[at + frame.tag_at : at + frame.tag_at + 4] in _TAGS
        if frames and (tagged or not same):
            close()
            start, frames, samples = at, 0, 0
        if not frames:
            has_length, rate_hz = tagged, frame.rate_hz
            now = frame.kind, frame.rate_hz
        # Xing's own frame holds no sound.
        frames += 1
        samples += 0 if tagged else frame.samples
        end = at = at + frame.size
    close()
    return found, unknown


def _begins(data: mmap.mmap, at: int) -> bool:
    """Three frames of one kind in a row, or as many as there are until the end or a tag."""
    first = frame_at(data, at)
    if first is None:
        return False
    frame: Frame | None = first
    for _ in range(2):
        if frame is None or (frame.kind, frame.rate_hz) != (first.kind, first.rate_hz):
            return False
        at += frame.size
        if at >= len(data) or _after_tags(data, at) != at:
            return at <= len(data)
        frame = frame_at(data, at)
    return frame is not None and (frame.kind, frame.rate_hz) == (first.kind, first.rate_hz)


def _after_tags(data: mmap.mmap, at: int) -> int:
    """Past the tags (ID3, APE) that stand there."""
    while True:
        if data[at : at + 3] == b"ID3" and at + 10 <= len(data):
            sizes = data[at + 6 : at + 10]
            size = sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3]
            at += 10 + size + (10 if data[at + 5] & 0x10 else 0)
        elif data[at : at + 3] == b"TAG" and len(data) - at >= 128:
            at += 128
        elif data[at : at + 8] == b"APETAGEX" and at + 32 <= len(data):
            at += 32 + int.from_bytes(data[at + 12 : at + 16], "little")
        else:
            return at


def _next_frame(data: mmap.mmap, at: int) -> int:
    """Where the next frames in a row begin, or the end."""
    while 0 <= (at := data.find(b"\xff", at)) < len(data):
        if _begins(data, at):
            return at
        at += 1
    return len(data)


def length_frame(head: bytes, frames: int) -> bytes:
    """A frame as Xing's that tells a decoder how many frames follow.

    head: the four bytes of a frame's header, whose rate and channels it takes over.
    """
    header = bytearray(head[:4])
    header[1] |= 1  # no checksum
    for bit_rate in range(1, 15):
        header[2] = (header[2] & 0x0D) | bit_rate << 4
        frame = frame_at(header, 0)
        if frame is not None and frame.size >= frame.tag_at + 12:
            body = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
            return bytes(header) + (bytes(frame.tag_at - 4) + body).ljust(frame.size - 4, b"\0")
    return b""
