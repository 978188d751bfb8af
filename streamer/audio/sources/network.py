"""A stream from the network (rtsp, http and others), taken up again when it breaks off."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from streamer.audio.sources.live_decoder import LiveDecoder
from streamer.audio.sources.media import Decoder, open_media
from streamer.audio.sources.protocol import Delivered
from streamer.errors import UnreadableAudio
from streamer.types import Chunk, Gap, Notice

TICK_S: Final = 0.1
RETRY_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_ADDRESS: Final = re.compile(r"(https?|rtsps?|rtmps?|srt|udp|tcp|rtp)://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether `--input` means the network.

    >>> is_address("rtsp://camera/1"), is_address("http.wav")
    (True, False)
    """
    return _ADDRESS.match(text) is not None


def shown(address: str) -> str:
    """The address without user and password.

    >>> shown("rtsp://me:secret@camera:554/1")
    'rtsp://camera:554/1'
    """
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class NetworkSource:
    """A live source: an address, until a recording there ends; a broadcast is waited for.

    When it breaks off, the time until it is back is a Gap of reason "stream_lost"; it is tried
    again after 1, 2, 4, 8, 15, and then every 30 s. Raises UnreadableAudio where the first
    connection fails, or nothing here reads it.
    """

    kind = "stream"

    def __init__(
        self,
        address: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = shown(address)
        self._address = address
        self._clock = clock
        self._sleep = sleep
        self._closed = False
        self._decoder = self._connect()
        self.rate_hz = self._decoder.rate_hz
        self.channels = self._decoder.channels

    def __iter__(self) -> Iterator[Delivered]:
        heard_s = self._clock()
        while not self._closed:
            for chunk in self._decoder:
                if len(chunk.samples):
                    heard_s = self._clock()
                self.rate_hz, self.channels = chunk.rate_hz, chunk.samples.shape[1]
                yield chunk
            if self._closed:
                return
            notices = self._decoder.notices
            if not self._decoder.is_live and not notices:
                return
            for notice in notices:
                yield Notice(f"{self.name}: {notice.text}", notice.kind)
            yield Notice(f"{self.name} broke off; connecting again", "device_lost")
            yield Gap(0, "stream_lost")
            yield from self._wait()
            if self._closed:
                return
            lost = round((self._clock() - heard_s) * self.rate_hz)
            yield Gap(lost, "stream_lost")
            yield Notice(f"{self.name} is back ({lost:,} samples lost)", "device_lost")

    def close(self) -> None:
        self._closed = True
        self._decoder.close()

    def _connect(self) -> LiveDecoder:
        options = {"rtsp_transport": "tcp"} if self._address.lower().startswith("rtsp") else {}

        def open_stream() -> Decoder:
            return open_media(self._address, self.name, options)

        return LiveDecoder(open_stream, self.name)

    def _wait(self) -> Iterator[Chunk]:
        attempt = 0
        while not self._closed:
            until_s = self._clock() + RETRY_S[min(attempt, len(RETRY_S) - 1)]
            while self._clock() < until_s and not self._closed:
                yield Chunk(np.zeros((0, self.channels), np.float32), self.rate_hz, self.name)
                self._sleep(TICK_S)
            try:
                self._decoder = self._connect()
            except UnreadableAudio:
                attempt += 1
            else:
                return
