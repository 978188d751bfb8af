"""An encoder slower than people speak: hearing goes on, what is given up is counted and said."""

import threading
from collections.abc import Iterator

import numpy as np

from streamer.encoders.queue import BackgroundEncoding
from streamer.events import Ended, Event, Heard, Noticed
from streamer.store.profile import Profile
from streamer.testing import FakeEncoder, Spoken
from streamer.types import Chunk, Samples
from tests.loop.test_steps import Recorder
from tests.sessions import made_session


class Stuck(FakeEncoder):
    """Encodes nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        assert self.may.wait(60)
        return super().encode(audio)


class Room:
    """A microphone in which somebody speaks on and on; the encoder is let when all was heard."""

    kind = "microphone"
    name = "room"
    rate_hz = 16_000
    channels = 1

    def __init__(self, audio: Samples, encoder: Stuck) -> None:
        self._audio = audio
        self._encoder = encoder
        self.delivered = 0

    def __iter__(self) -> Iterator[Chunk]:
        for start in range(0, len(self._audio), 4_000):
            chunk = self._audio[start : start + 4_000, np.newaxis]
            self.delivered += len(chunk)
            yield Chunk(chunk, self.rate_hz, self.name)
        self._encoder.may.set()

    def close(self) -> None:
        pass


def test_the_oldest_are_kept_the_rest_is_counted_and_hearing_goes_on(
    profile: Profile, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    audio, truth = spoken_session
    encoder = Stuck()
    encoding_queue = BackgroundEncoding(encoder, most_waiting_s=12.0, patience_s=0.001)
    session = made_session(profile, encoder=encoder, encoding_queue=encoding_queue)
    room, recorder = Room(audio, encoder), Recorder()
    recorder.record(room, session)
    encoding_queue.close()
    (ended,) = recorder.of(Ended)
    heard: list[Event] = recorder.of(Heard)
    assert room.delivered == ended.captured_samples == len(audio)
    assert 0 < len(heard) < len(truth)
    assert [event.id for event in heard] == list(range(1, len(heard) + 1))
    first = [(one.onset_s, one.offset_s) for one in truth[: len(heard)]]
    for event, (onset_s, offset_s) in zip(heard, first, strict=True):
        assert event.onset_s <= onset_s
        assert event.offset_s >= offset_s - 0.2
    given_up = ended.dropped_samples["encoder_slow"]
    parts = ended.speech_samples + ended.silence_samples + sum(ended.dropped_samples.values())
    assert ended.captured_samples == parts
    kept = sum(round(16_000 * (event.offset_s - event.onset_s)) for event in heard)
    assert ended.speech_samples == kept
    assert given_up > 16_000
    told = [event.text for event in recorder.of(Noticed)]
    assert any("1 utterance given up" in text for text in told)
    assert any("still to be encoded" in text for text in told)
