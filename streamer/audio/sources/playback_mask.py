"""A live source that does not hear what its own device plays."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from streamer.audio.sources.protocol import Delivered, Source
from streamer.types import Chunk, Gap, Notice

PLAYBACK: Final = "playback"
# Between a sound's end and the last of it in what was recorded: the output's and the input's
# buffers, the way through the air (a wireless loudspeaker: 0.3 s), and the room's reverberation.
TAIL_S: Final = 0.9
# A sound may begin as it is told; the clock that tells when samples were recorded is a little off.
LEAD_S: Final = 0.1
TELL_AGAIN_S: Final = 60.0
# A pipe that is so far ahead of its clock carries a recording, not what is heard here and now.
AHEAD_S: Final = 2.0


class PlaybackMask:
    """Passes on what `source` delivers, less what was recorded while something was played.

    Those samples become gaps of reason "playback", to the sample: captured and dropped, not heard.
    A pipe counts as live while it delivers no faster than time goes by.

    spans: when something was, is or will be played, in seconds of `clock`. It is asked after each
    chunk has come, so that a span that was told before its sound began is always known in time.
    """

    def __init__(
        self,
        source: Source,
        spans: Callable[[], Sequence[tuple[float, float]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._spans = spans
        self._clock = clock
        self._told_s = -math.inf
        self._masked_s = self._piped_s = 0.0
        self._piped_from_s: float | None = None
        self.kind = source.kind
        self.name = source.name
        self.rate_hz = source.rate_hz
        self.channels = source.channels

    def __iter__(self) -> Iterator[Delivered]:
        for item in self._source:
            if isinstance(item, Chunk) and len(item.samples):
                yield from self._masked(item)
            else:
                yield item

    def close(self) -> None:
        self._source.close()

    def _masked(self, chunk: Chunk) -> Iterator[Delivered]:
        count, rate_hz = len(chunk.samples), chunk.rate_hz
        first_s = chunk.captured_s
        if first_s is None:  # a pipe: as late as it can have been recorded
            first_s = self._clock() - count / rate_hz
            if self._is_ahead(first_s, count / rate_hz):
                yield chunk
                return
        done = 0
        for start, end in self._within(first_s, count, rate_hz):
            if start > done:
                yield _part(chunk, done, start, first_s)
            if end > max(start, done):
                yield from self._tell((end - max(start, done)) / rate_hz)
                yield Gap(end - max(start, done), PLAYBACK)
            done = max(done, end)
        if done < count:
            yield _part(chunk, done, count, first_s)

    def _is_ahead(self, first_s: float, seconds: float) -> bool:
        if self._piped_from_s is None:
            self._piped_from_s = first_s
        self._piped_s += seconds
        return self._piped_s > self._clock() - self._piped_from_s + AHEAD_S

    def _within(self, first_s: float, count: int, rate_hz: int) -> list[tuple[int, int]]:
        """The spans in samples of a chunk, [start, end), in order; those beyond it left out."""
        found = []
        for start_s, end_s in self._spans():
            start = math.floor((start_s - LEAD_S - first_s) * rate_hz)
            end = math.ceil((end_s + TAIL_S - first_s) * rate_hz)
            if start < count and end > 0:
                found.append((max(0, start), min(count, end)))
        return sorted(found)

    def _tell(self, seconds: float) -> Iterator[Notice]:
        self._masked_s += seconds
        now_s = self._clock()
        if now_s - self._told_s < TELL_AGAIN_S:
            return
        first = self._told_s == -math.inf
        self._told_s = now_s
        if first:
            yield Notice(
                "a question is being played: what the microphone records meanwhile, speech too, "
                "is not heard; it is counted as dropped (playback)",
                PLAYBACK,
            )
        else:
            yield Notice(
                f"{self._masked_s:.1f} s not heard so far, speech too, while questions were played",
                PLAYBACK,
            )


def _part(chunk: Chunk, start: int, end: int, first_s: float) -> Chunk:
    if (start, end) == (0, len(chunk.samples)):
        return chunk
    captured_s = first_s + start / chunk.rate_hz
    return replace(chunk, samples=chunk.samples[start:end], captured_s=captured_s)
