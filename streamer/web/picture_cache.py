"""Pictures of clips, kept in memory while nothing that they may show was forgotten."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from streamer.store.marks import Marks

PICTURES: Final = 64

Picture = dict[str, Any]


class PictureCache:
    """The last pictures by what their clips hold, all of one moment's marks. Threads may share it.

    draw: from FLAC bytes to a picture.
    """

    def __init__(self, draw: Callable[[bytes], Picture], most: int = PICTURES) -> None:
        self._draw = draw
        self._most = most
        self._marks: Marks | None = None
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def picture(self, clip: bytes, marks: Marks) -> Picture:
        """marks: those of the profile, read before the clip was."""
        key = sha256(clip).digest()
        with self._lock:
            known = self._pictures.get(key) if marks == self._marks else None
        if known is None:
            known = self._draw(clip)
            with self._lock:
                if marks == self._marks:  # else it was forgotten while it was drawn
                    self._pictures[key] = known
                    while len(self._pictures) > self._most:
                        self._pictures.popitem(last=False)
        return known

    def follow(self, marks: Marks) -> None:
        """Delete all pictures of other marks than the profile's now."""
        with self._lock:
            if marks != self._marks:
                self._pictures.clear()
                self._marks = marks
