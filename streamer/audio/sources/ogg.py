"""Ogg files that were joined ("chained"): where one logical file ends and the next begins."""

import mmap
from pathlib import Path
from typing import Final

_CAPTURE: Final = b"OggS"
_HEAD_BYTES: Final = 27
_BEGINS: Final = 0x02


def parts(path: Path) -> tuple[list[tuple[int, int]], int]:
    """Bytes [start, end) of each logical file, and how many bytes belong to no page."""
    if not path.stat().st_size:
        return [], 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        starts: list[int] = []
        at = unknown = 0
        begins_before = False
        while at < len(data):
            if data[at : at + 4] != _CAPTURE or at + _HEAD_BYTES > len(data):
                following = data.find(_CAPTURE, at + 1)
                after = len(data) if following < 0 else following
                unknown += after - at
                at = after
                continue
            begins = bool(data[at + 5] & _BEGINS)
            # Several streams that are interleaved all begin before any goes on.
            if begins and not begins_before:
                starts.append(at)
            begins_before = begins
            count = data[at + 26]
            lengths = data[at + _HEAD_BYTES : at + _HEAD_BYTES + count]
            at += _HEAD_BYTES + count + sum(lengths)
        return list(zip(starts, [*starts[1:], len(data)], strict=True)), unknown
