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


class PageCounter:
    """Bytes of a stream that belong to no page, counted as they come by.

    unknown: how many, up to what was fed; `finish` adds what is left of the end.
    """

    def __init__(self) -> None:
        self.unknown = 0
        self._held = bytearray()
        self._page_left = 0

    def feed(self, data: bytes) -> None:
        self._held += data
        while self._held:
            if self._page_left:
                passed = min(self._page_left, len(self._held))
                del self._held[:passed]
                self._page_left -= passed
            elif not self._held.startswith(_CAPTURE):
                if len(self._held) < len(_CAPTURE):
                    return
                found = self._held.find(_CAPTURE)
                passed = len(self._held) - len(_CAPTURE) + 1 if found < 0 else found
                self.unknown += passed
                del self._held[:passed]
            else:
                count = self._held[_HEAD_BYTES - 1] if len(self._held) >= _HEAD_BYTES else 255
                head = _HEAD_BYTES + count
                if len(self._held) < head:
                    return
                self._page_left = head + sum(self._held[_HEAD_BYTES:head])

    def finish(self) -> None:
        """The stream is over: a page that is not whole in its head is none."""
        if not self._page_left:
            self.unknown += len(self._held)
        self._held.clear()
