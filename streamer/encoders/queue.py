"""Queues of utterances for the encoder: synchronous, or on a thread of its own.

A recording or a pipe can wait for the encoder. A microphone cannot: there, another thread encodes.
If that is slower than real time, a limited amount of speech waits; newer utterances are refused.
Listening continues in any case.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from streamer.types import SAMPLE_RATE_HZ, Samples, Utterance

MOST_WAITING_S: Final = 120.0
# The listening thread waits this long for a result; the ring buffer holds much more.
PATIENCE_S: Final = 0.2


class Encoder(Protocol):
    """audio: float32 [samples] at 16 kHz; returns embedding float32 [d], emotion float32 [e]."""

    def encode(self, audio: Samples) -> tuple[Samples, Samples]: ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """decided_s: when the utterance's end was decided."""

    utterance: Utterance
    decided_s: float
    embedding: Samples
    emotion: Samples


class EncodingQueue(Protocol):
    """Results come in the order of `put`. `ready` and `rest` raise what the encoder raised."""

    @property
    def waiting(self) -> int: ...

    def put(self, utterance: Utterance, decided_s: float) -> bool:
        """Returns False if too much speech waits; the utterance was then not queued."""
        ...

    def ready(self) -> Iterator[Encoded]:
        """The results that are ready now."""
        ...

    def rest(self) -> Iterator[Encoded]:
        """All remaining results, as they become ready."""
        ...

    def close(self) -> None: ...


class SyncEncoding:
    """Encodes on the calling thread."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._waiting: deque[tuple[Utterance, float]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, utterance: Utterance, decided_s: float) -> bool:
        self._waiting.append((utterance, decided_s))
        return True

    def ready(self) -> Iterator[Encoded]:
        while self._waiting:
            utterance, decided_s = self._waiting.popleft()
            yield Encoded(utterance, decided_s, *self._encoder.encode(utterance.audio))

    def rest(self) -> Iterator[Encoded]:
        return self.ready()

    def close(self) -> None:
        self._waiting.clear()


class BackgroundEncoding:
    """Encodes on a thread of its own; refuses utterances while `most_waiting_s` of speech wait."""

    def __init__(
        self,
        encoder: Encoder,
        most_waiting_s: float = MOST_WAITING_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._encoder = encoder
        self._most_waiting_samples = most_waiting_s * SAMPLE_RATE_HZ
        self._patience_s = patience_s
        self._waiting_samples = 0
        self._tasks: queue.SimpleQueue[tuple[Utterance, float] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Callable[[], Encoded]] = queue.SimpleQueue()
        self.waiting = 0
        threading.Thread(target=self._work, name="encoder", daemon=True).start()

    def put(self, utterance: Utterance, decided_s: float) -> bool:
        size = len(utterance.audio)
        # Also a short one that would fit: it must not outlive an older, longer one.
        if self._waiting_samples >= self._most_waiting_samples:
            return False
        self.waiting += 1
        self._waiting_samples += size
        self._tasks.put((utterance, decided_s))
        return True

    def ready(self) -> Iterator[Encoded]:
        patience_s = self._patience_s
        while self.waiting:
            try:
                yield self._take(patience_s)
            except queue.Empty:
                return
            patience_s = 0.0

    def rest(self) -> Iterator[Encoded]:
        while self.waiting:
            yield self._take(None)

    def close(self) -> None:
        """Let the thread end after its current utterance, without waiting for it: it may hang."""
        self._tasks.put(None)

    def _take(self, timeout_s: float | None) -> Encoded:
        """Raises queue.Empty, and what the encoder raised."""
        done = self._done.get(timeout=timeout_s)
        self.waiting -= 1
        if not self.waiting:
            self._waiting_samples = 0
        encoded = done()
        self._waiting_samples = max(0, self._waiting_samples - len(encoded.utterance.audio))
        return encoded

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._done.put(self._encode(*task))

    def _encode(self, utterance: Utterance, decided_s: float) -> Callable[[], Encoded]:
        """A function that returns the result, or raises what the encoder raised."""
        try:
            encoded = Encoded(utterance, decided_s, *self._encoder.encode(utterance.audio))
        except Exception as error:
            raised = error

            def fail() -> Encoded:
                raise raised

            return fail
        return lambda: encoded
