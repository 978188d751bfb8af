"""FLAC files that were joined: where each begins."""

import mmap
from pathlib import Path
from typing import Final

# The magic, and the head of the block that has to follow it: 34 bytes, the last block or not.
_STARTS: Final = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")


def parts(path: Path) -> list[tuple[int, int]]:
    """Bytes [start, end) of each; none for an empty file."""
    if not path.stat().st_size:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        starts = sorted(at for start in _STARTS for at in _all(data, start))
        return list(zip(starts, [*starts[1:], len(data)], strict=True))


def _all(data: mmap.mmap, what: bytes) -> list[int]:
    found, at = [], data.find(what)
    while at >= 0:
        found.append(at)
        at = data.find(what, at + 1)
    return found
