"""A cache of audio clips in memory."""

import threading
from collections import OrderedDict
from typing import Final

# About a quarter of an hour of speech.
MOST_BYTES: Final = 16 * 1024 * 1024


class ClipCache:
    """FLAC clips by the number of their utterance; the least recently used are evicted.

    Thread-safe: the loop adds, the pages read.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._clips: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, utterance: int, clip: bytes) -> None:
        with self._lock:
            self._bytes += len(clip) - len(self._clips.pop(utterance, b""))
            self._clips[utterance] = clip
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._clips.popitem(last=False)[1])

    def __contains__(self, utterance: int) -> bool:
        return utterance in self._clips

    def get(self, utterance: int) -> bytes | None:
        with self._lock:
            clip = self._clips.get(utterance)
            if clip is not None:
                self._clips.move_to_end(utterance)
            return clip

    def clear(self) -> None:
        with self._lock:
            self._clips.clear()
            self._bytes = 0
