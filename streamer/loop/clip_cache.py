"""A cache of audio clips in memory."""

import threading
from collections import OrderedDict
from typing import Final

from streamer.store.marks import Marks

# About a quarter of an hour of speech.
MOST_BYTES: Final = 16 * 1024 * 1024
_NONE: Final = Marks("", "")


class ClipCache:
    """FLAC clips by the number of their utterance; the least recently used are evicted.

    All of them are of one moment's marks: where those of the profile have changed since, something
    was forgotten or replaced, and all clips are deleted. Any thread may use it: the loop's puts,
    the pages' gets. marks: those of the profile, read before the clip was.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._marks = _NONE
        self._clips: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, utterance: int, clip: bytes, marks: Marks) -> None:
        with self._lock:
            self._drop(marks)
            self._bytes += len(clip) - len(self._clips.pop(utterance, b""))
            self._clips[utterance] = clip
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._clips.popitem(last=False)[1])

    def has(self, utterance: int, marks: Marks) -> bool:
        with self._lock:
            self._drop(marks)
            return utterance in self._clips

    def get(self, utterance: int, marks: Marks) -> bytes | None:
        with self._lock:
            self._drop(marks)
            clip = self._clips.get(utterance)
            if clip is not None:
                self._clips.move_to_end(utterance)
            return clip

    def follow(self, marks: Marks) -> None:
        """Delete all clips of other marks than the profile's now."""
        with self._lock:
            self._drop(marks)

    def _drop(self, marks: Marks) -> None:
        if marks != self._marks:
            self._clips.clear()
            self._bytes = 0
            self._marks = marks
