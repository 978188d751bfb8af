"""Announces playback near the microphone to the process that listens.

A page or a terminal that plays a question writes a small file into the profile's folder before
playback begins; the process that listens, often another one, reads it before it processes the audio
recorded meanwhile. Times are of the monotonic clock, which all processes of a machine share.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

PATTERN: Final = "playback-*.json"
# What a clip may last at most: who tells more would stop the listening.
LONGEST_S: Final = 330.0
# Told again, as the listener may look later than the next clip begins.
_MOST_SPANS: Final = 50
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")

Span = tuple[float, float]


class PlaybackFile:
    """The player's side: one for each process, for any number of its players, by name."""

    def __init__(self, folder: Path, now_s: Callable[[], float] = time.monotonic) -> None:
        self._path = folder / PATTERN.replace("*", str(os.getpid()))
        self._now_s = now_s
        self._spans: list[list[float]] = []
        self._playing: dict[str, list[float]] = {}

    def begin(self, duration_s: float, player: str = "") -> None:
        """The player is about to play a clip of this length; its previous clip has ended."""
        self._finish(player)
        now_s = self._now_s()
        self._playing = {name: one for name, one in self._playing.items() if one[1] > now_s}
        span = [now_s, now_s + min(max(duration_s, 0.0), LONGEST_S)]
        self._playing[player] = span
        self._spans = [*self._spans[1 - _MOST_SPANS :], span]
        self._write()

    def end(self, player: str = "") -> None:
        """The player is silent, possibly earlier than announced. Idempotent."""
        if self._finish(player):
            self._write()

    def close(self) -> None:
        """No player plays any more. Earlier announcements stay valid."""
        for player in list(self._playing):
            self.end(player)

    def _finish(self, player: str) -> bool:
        span = self._playing.pop(player, None)
        if span is None or span[1] <= self._now_s():
            return False
        span[1] = self._now_s()
        return True

    def _write(self) -> None:
        """Write atomically. Without a folder or disk space the sound is not masked; no error."""
        part = self._path.with_suffix(".part")
        with suppress(OSError):
            opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                json.dump({"boot": _boot(), "spans": self._spans}, file)
            part.replace(self._path)


class PlaybackWatch:
    """The listener's side: the announcements of all players of this profile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boot = _boot()
        self._known: dict[str, tuple[tuple[int, int], list[Span]]] = {}

    def spans(self) -> list[Span]:
        """Past, current and future playback: (from, until) in seconds of the monotonic clock.

        An end may move, earlier than expected, until it is reached.
        """
        with suppress(OSError):
            for path in self._folder.glob(PATTERN):
                found = path.stat()
                identity = found.st_ino, found.st_mtime_ns
                if self._known.get(path.name, (None,))[0] != identity:
                    self._known[path.name] = identity, self._read(path)
        return [span for _, spans in self._known.values() for span in spans]

    def _read(self, path: Path) -> list[Span]:
        """Empty for an invalid file, or one from before the last boot."""
        try:
            told = json.loads(path.read_text("utf-8"))
            if told["boot"] != self._boot:
                return []
            spans = [(float(start), float(end)) for start, end in told["spans"]]
        except (ValueError, TypeError, KeyError):
            return []
        return [(start, end) for start, end in spans if 0.0 <= end - start <= LONGEST_S]


def _boot() -> str:
    """The boot id: the monotonic clock restarts with each boot."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
