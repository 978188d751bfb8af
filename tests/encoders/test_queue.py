"""Encoding beside the hearing: order, bounds and errors."""

import threading

import numpy as np
import pytest

from streamer.encoders.queue import BackgroundEncoding, EncodingQueue, SyncEncoding
from streamer.errors import EncoderError
from streamer.types import Quality, Samples, Utterance

QUALITY = Quality(-20.0, 30.0, False)


def utterance(second: int) -> Utterance:
    audio = np.full(16_000, second / 10, np.float32)
    return Utterance("made", float(second), second + 1.0, audio, QUALITY)


class Held:
    """Encodes an utterance to its first sample, when it is let."""

    def __init__(self) -> None:
        self.may = threading.Semaphore(0)

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        assert self.may.acquire(timeout=20)
        if audio[0] > 0.85:
            raise EncoderError("broken")
        return audio[:1], audio[:1]


@pytest.mark.parametrize("make", [SyncEncoding, BackgroundEncoding])
def test_all_come_back_in_order_with_their_own_vectors(make: type) -> None:
    encoder = Held()
    for _ in range(6):
        encoder.may.release()
    encoding_queue: EncodingQueue = make(encoder)
    for second in range(6):
        assert encoding_queue.put(utterance(second), float(second))
    back = list(encoding_queue.rest())
    assert [one.decided_s for one in back] == [0, 1, 2, 3, 4, 5]
    assert [float(one.embedding[0]) for one in back] == [
        float(one.utterance.audio[0]) for one in back
    ]
    assert encoding_queue.waiting == 0
    encoding_queue.close()


def test_who_looks_before_it_is_done_is_not_held_up_and_what_is_too_much_is_refused() -> None:
    encoder = Held()
    encoding_queue = BackgroundEncoding(encoder, most_waiting_s=3.0, patience_s=0.01)
    assert [encoding_queue.put(utterance(second), 0.0) for second in range(5)] == [True] * 3 + [
        False
    ] * 2
    assert not list(encoding_queue.ready())
    encoder.may.release()
    while not (first := list(encoding_queue.ready())):
        pass
    assert [one.utterance.onset_s for one in first] == [0.0]
    assert encoding_queue.put(utterance(5), 0.0)
    for _ in range(3):
        encoder.may.release()
    assert [one.utterance.onset_s for one in encoding_queue.rest()] == [1.0, 2.0, 5.0]
    encoding_queue.close()


def test_one_that_alone_is_too_long_is_taken() -> None:
    encoder = Held()
    encoding_queue = BackgroundEncoding(encoder, most_waiting_s=0.5)
    assert encoding_queue.put(utterance(1), 0.0)
    assert not encoding_queue.put(utterance(2), 0.0)
    encoder.may.release()
    assert len(list(encoding_queue.rest())) == 1
    encoding_queue.close()


@pytest.mark.parametrize("make", [SyncEncoding, BackgroundEncoding])
def test_an_error_comes_out_where_it_is_taken_and_the_others_after_it(make: type) -> None:
    encoder = Held()
    for _ in range(3):
        encoder.may.release()
    encoding_queue: EncodingQueue = make(encoder)
    for second in (1, 9, 2):
        encoding_queue.put(utterance(second), 0.0)
    taken = encoding_queue.rest()
    assert next(taken).utterance.onset_s == 1.0
    with pytest.raises(EncoderError, match="broken"):
        next(taken)
    assert [one.utterance.onset_s for one in encoding_queue.rest()] == [2.0]
    encoding_queue.close()
