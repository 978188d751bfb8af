"""A microphone that comes back after an hour: all of the hour is counted, and the loop goes on."""

import itertools
import time

import pytest

from streamer.audio.microphone.source import Microphone
from streamer.types import Chunk, Gap, Notice
from tests.audio.fake_portaudio import FakePortAudio

RATE_HZ = 16_000
HOUR_S = 3600.0


def test_after_an_hour_it_is_taken_up_and_the_hour_is_counted() -> None:
    slept_s = 0.0

    def clock() -> float:
        return time.monotonic() + slept_s

    portaudio = FakePortAudio(clock)
    source = Microphone("Mic", clock=clock, portaudio=portaudio)
    stream = iter(source)
    assert any(len(item.samples) for item in itertools.islice(stream, 5) if isinstance(item, Chunk))
    gone_s = clock()
    portaudio.unplug("Mic")
    for item in stream:
        if item == Gap(0, "device_lost"):
            break
    slept_s += HOUR_S
    for _ in range(5):
        next(stream)
    portaudio.devices["Mic"] = (1, (RATE_HZ,))
    gaps = []
    for item in stream:
        if isinstance(item, Gap):
            gaps.append(item)
        if isinstance(item, Notice) and "is back after" in item.text:
            break
    away_s = clock() - gone_s
    assert [gap.reason for gap in gaps] == ["device_lost"]
    assert gaps[0].samples / RATE_HZ == pytest.approx(away_s, abs=1.5)
    assert away_s > HOUR_S
    source.close()
