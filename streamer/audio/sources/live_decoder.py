"""A decoder that waits for bytes, in a thread of its own, so that the loop goes on."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from streamer.audio.sources.media import Decoder
from streamer.errors import UnreadableAudio
from streamer.types import Chunk, Notice, Samples

TICK_S: Final = 0.1
BLOCK_S: Final = 0.5
# Decoded ahead: half a minute of a stream that comes faster than it is heard.
MOST_BLOCKS: Final = 64

Block = tuple[int, Samples]


class LiveDecoder:
    """Opens a decoder and reads it to its end in a thread; iterate for chunks and ticks.

    Construction waits until the decoder is open. `notices` is complete after the last chunk.
    Raises what opening raises; while iterating, nothing: what ends it too early is a notice.
    """

    def __init__(self, open_decoder: Callable[[], Decoder], name: str) -> None:
        self._open = open_decoder
        self._name = name
        self._blocks: queue.Queue[Block | None] = queue.Queue(MOST_BLOCKS)
        self._opened: queue.Queue[Decoder | BaseException] = queue.Queue(1)
        self._closed = False
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="decoder", daemon=True).start()
        decoder = self._opened.get()
        if isinstance(decoder, BaseException):
            raise decoder
        self._decoder = decoder
        self.rate_hz = decoder.rate_hz
        self.channels = decoder.channels

    @property
    def is_live(self) -> bool:
        """A broadcast: it does not end by itself."""
        return self._decoder.is_live

    @property
    def notices(self) -> list[Notice]:
        if self._error is None:
            return self._decoder.notices
        return [*self._decoder.notices, Notice(f"broke off: {self._error}", "undecoded")]

    def __iter__(self) -> Iterator[Chunk]:
        while not self._closed:
            try:
                block = self._blocks.get(timeout=TICK_S)
            except queue.Empty:
                yield Chunk(np.zeros((0, self.channels), np.float32), self.rate_hz, self._name)
                continue
            if block is None:
                return
            self.rate_hz, samples = block
            self.channels = samples.shape[1]
            yield Chunk(samples, self.rate_hz, self._name)

    def close(self) -> None:
        """The thread ends with its next block, or with the process."""
        self._closed = True

    def _run(self) -> None:
        try:
            decoder = self._open()
        except BaseException as error:  # raised again where the decoder is wanted
            self._opened.put(error)
            return
        self._opened.put(decoder)
        try:
            for samples in decoder.blocks(max(1, round(BLOCK_S * decoder.rate_hz))):
                if not self._put((decoder.rate_hz, samples)):
                    break
        except (OSError, UnreadableAudio, ValueError) as error:
            self._error = error
        finally:
            self._put(None)
            decoder.close()

    def _put(self, block: Block | None) -> bool:
        while not self._closed:
            try:
                self._blocks.put(block, timeout=1.0)
            except queue.Full:
                continue
            return True
        return False
