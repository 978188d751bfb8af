"""The microphone's logic, with a PortAudio that breaks on demand."""

import atexit
import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from streamer.audio.microphone import source as module
from streamer.audio.microphone.source import Microphone
from streamer.audio.sources.protocol import Delivered
from streamer.errors import AudioError, NoDevice, UsageError
from streamer.types import Chunk, Gap, Notice
from tests.audio.fake_portaudio import FakePortAudio

SPEED = 4.0


def fast_clock() -> float:
    """A clock that runs `SPEED` times too fast, so that seconds of waiting are short."""
    return time.monotonic() * SPEED


@pytest.fixture
def portaudio() -> Iterator[FakePortAudio]:
    fake = FakePortAudio()
    yield fake
    fake.hang.clear()


def within(seconds: float, source: Microphone) -> Iterator[Delivered]:
    """What `source` yields in the next real seconds."""
    until_s = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < until_s, source)


def until(text: str, source: Iterator[Delivered], seconds: float = 10) -> list[Delivered]:
    """All up to the notice that holds `text`."""
    heard = []
    until_s = time.monotonic() + seconds
    for item in source:
        heard.append(item)
        if isinstance(item, Notice) and text in item.text:
            return heard
        assert time.monotonic() < until_s, f"no notice of {text!r}"
    raise AssertionError("the source ended")


def samples_in(heard: list[Delivered]) -> int:
    return sum(len(item.samples) for item in heard if isinstance(item, Chunk))


def gaps_in(heard: list[Delivered]) -> list[Gap]:
    return [item for item in heard if isinstance(item, Gap)]


def test_16_khz_is_taken_where_the_device_has_it(portaudio: FakePortAudio) -> None:
    portaudio.devices["Mic"] = (2, (48_000, 44_100, 16_000))
    portaudio._initialize()
    source = Microphone(portaudio=portaudio)
    assert (source.kind, source.name, source.rate_hz, source.channels) == (
        "microphone", "Mic", 16_000, 2
    )  # fmt: skip
    heard = list(within(0.5, source))
    source.close()
    assert samples_in(heard) == pytest.approx(8_000, abs=1_500)
    assert not gaps_in(heard)
    assert portaudio.streams[0].closed


def test_a_device_of_44100_hz_only_is_opened_at_its_own_rate(portaudio: FakePortAudio) -> None:
    portaudio.devices["Mic"] = (1, (44_100,))
    portaudio._initialize()
    source = Microphone(portaudio=portaudio)
    assert source.rate_hz == 44_100
    heard = list(within(0.3, source))
    source.close()
    assert {item.rate_hz for item in heard if isinstance(item, Chunk)} == {44_100}
    assert samples_in(heard) == pytest.approx(0.3 * 44_100, rel=0.3)


@pytest.mark.parametrize(
    ("there", "channel", "opened"),
    [(1, None, 1), (2, None, 2), (8, None, 8), (32, None, 1), (32, 3, 3), (2, 2, 2)],
)
def test_channels_that_are_opened(
    portaudio: FakePortAudio, there: int, channel: int | None, opened: int
) -> None:
    portaudio.devices["Mic"] = (there, (16_000,))
    portaudio._initialize()
    source = Microphone(channel=channel, portaudio=portaudio)
    source.close()
    assert source.channels == opened


def test_a_channel_that_is_not_there_is_refused(portaudio: FakePortAudio) -> None:
    with pytest.raises(UsageError, match="only channel 1"):
        Microphone(channel=2, portaudio=portaudio)


def test_absence_at_the_start_fails_at_once(portaudio: FakePortAudio) -> None:
    with pytest.raises(NoDevice, match=r"'Mic'.*streamer devices.*--input FILE"):
        Microphone("Other", portaudio=portaudio)
    del portaudio.devices["Mic"]
    with pytest.raises(NoDevice, match=r"'Mic' cannot be opened .*Device unavailable"):
        Microphone("Mic", portaudio=portaudio)
    portaudio._initialize()
    with pytest.raises(NoDevice, match=r"no microphone was found.*--input FILE"):
        Microphone(portaudio=portaudio)


def test_it_comes_back_by_name_though_its_number_and_card_moved() -> None:
    portaudio = FakePortAudio(fast_clock)
    portaudio.devices = {"Built-in": (2, (16_000,)), "USB: - (hw:1,0)": (1, (48_000,))}
    portaudio._initialize()
    source = Microphone(1, clock=fast_clock, portaudio=portaudio)
    assert source.name == "USB: - (hw:1,0)"
    stream = iter(source)
    before = [next(stream) for _ in range(5)]
    unplugged_s = fast_clock()
    portaudio.unplug("USB: - (hw:1,0)")
    lost = until("disappeared", stream)
    assert fast_clock() - unplugged_s < 2
    assert next(stream) == Gap(0, "device_lost")
    away = list(itertools.islice(stream, 8))
    assert all(isinstance(item, Chunk) and not len(item.samples) for item in away)
    portaudio.devices = {
        "Headset": (1, (16_000,)),
        "Built-in": (2, (16_000,)),
        "USB: - (hw:2,0)": (1, (48_000,)),
    }
    plugged_s = fast_clock()
    back = until("is back after", stream)
    away_s = fast_clock() - unplugged_s
    assert fast_clock() - plugged_s < 4
    (gap,) = gaps_in(back)
    assert gap.reason == "device_lost"
    assert gap.samples / 48_000 == pytest.approx(away_s, abs=0.4)
    assert portaudio.streams[-1].name == "USB: - (hw:2,0)"
    after = [next(stream) for _ in range(5)]
    assert samples_in(before + lost)
    assert samples_in(after)
    assert {item.source for item in after if isinstance(item, Chunk)} == {source.name}
    source.close()
    assert all(opened.closed for opened in portaudio.streams)


def test_a_stream_that_falls_silent_is_closed_and_opened_again() -> None:
    portaudio = FakePortAudio(fast_clock)
    source = Microphone(clock=fast_clock, portaudio=portaudio)
    stream = iter(source)
    next(stream)
    portaudio.delivering = False
    stalled_s = fast_clock()
    until("disappeared", stream)
    assert 0.9 < fast_clock() - stalled_s < 2
    timer = threading.Timer(1.0, lambda: setattr(portaudio, "delivering", True))
    timer.start()
    heard = until("is back after", stream)
    away_s = fast_clock() - stalled_s
    source.close()
    assert len(portaudio.streams) >= 2
    assert all(opened.closed for opened in portaudio.streams)
    assert gaps_in(heard)[-1].samples / 16_000 == pytest.approx(away_s, abs=0.6)


def test_a_hanging_audio_server_stops_neither_the_loop_nor_the_end(
    portaudio: FakePortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    unregistered: list[Any] = []
    monkeypatch.setattr(atexit, "unregister", unregistered.append)
    monkeypatch.setattr(module, "PATIENCE_S", 0.5)
    source = Microphone(portaudio=portaudio)
    stream = iter(source)
    next(stream)
    portaudio.hang.set()
    portaudio.delivering = False
    until("disappeared", stream)
    began_s = time.monotonic()
    heard = until("does not answer", stream)
    ticks = [item for item in heard if isinstance(item, Chunk)]
    assert len(ticks) > 3 * (time.monotonic() - began_s)
    began_s = time.monotonic()
    source.close()
    assert time.monotonic() - began_s < 4.5
    assert unregistered == [portaudio._exit_handler]


def test_a_server_that_hangs_at_the_start_is_an_error(
    portaudio: FakePortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    monkeypatch.setattr(module, "CLOSE_S", 0.2)
    portaudio.hang.set()
    monkeypatch.setattr(portaudio, "query_hostapis", portaudio.wait_if_hanging)
    with pytest.raises(AudioError, match=r"has not answered.*--input FILE"):
        Microphone(portaudio=portaudio)


def test_a_full_ring_is_a_gap_at_its_place_and_counted_exactly(portaudio: FakePortAudio) -> None:
    source = Microphone(portaudio=portaudio)
    device = portaudio.streams[0]
    portaudio.delivering = False
    time.sleep(0.05)
    waiting = samples_in(list(within(0.1, source)))
    block = np.zeros((320, 1), np.float32)
    for number in range(32 * 50):
        device.send(block + number)
    heard = list(within(0.4, source))
    device.send(block + 9_999)
    heard += list(within(0.2, source))
    source.close()
    kept = 30 * 16_000
    assert waiting + kept <= samples_in(heard) + waiting
    gaps = gaps_in(heard)
    assert [gap.reason for gap in gaps] == ["overflow"]
    assert samples_in(heard) + gaps[0].samples == 32 * 16_000 + 320
    before_gap = heard[: heard.index(gaps[0])]
    assert samples_in(before_gap) == kept
    last = [item for item in heard if isinstance(item, Chunk) and len(item.samples)][-1]
    assert last.samples[-1] == 9_999
    (text,) = [item.text for item in heard if isinstance(item, Notice)]
    assert f"{gaps[0].samples:,} samples lost" in text
    assert max(len(item.samples) for item in heard if isinstance(item, Chunk)) <= 8_000


def test_overflow_flags_are_counted_and_said_now_and_then(portaudio: FakePortAudio) -> None:
    source = Microphone(portaudio=portaudio)
    portaudio.overflowing = True
    heard = list(within(0.5, source))
    source.close()
    (text,) = [item.text for item in heard if isinstance(item, Notice)]
    assert "the audio system reports" in text
    assert not gaps_in(heard)


def test_samples_that_the_server_lost_are_found_against_the_clock() -> None:
    portaudio = FakePortAudio(fast_clock)
    source = Microphone(clock=fast_clock, portaudio=portaudio)
    heard = list(within(5 / SPEED, source))
    portaudio.delivering = False
    heard += list(within(0.8 / SPEED, source))
    portaudio.delivering = True
    heard += list(within(7 / SPEED, source))
    source.close()
    assert [gap.reason for gap in gaps_in(heard)] == ["overflow"]
    assert gaps_in(heard)[0].samples / 16_000 == pytest.approx(0.8, abs=0.3)


def test_a_device_that_is_slower_than_it_says_is_told_once_and_has_lost_nothing() -> None:
    now_s = [100.0]
    portaudio = FakePortAudio(lambda: now_s[0])
    portaudio.delivering = False
    portaudio.devices["Mic"] = (1, (48_000,))
    portaudio._initialize()
    source = Microphone(clock=lambda: now_s[0], portaudio=portaudio)
    block = np.ones((882, 1), np.float32)
    listening = iter(source)
    heard = []
    for _ in range(60):
        for _ in range(25):
            now_s[0] += 0.02
            portaudio.streams[0].send(block)
        heard += [next(listening)]
        while isinstance(heard[-1], Notice | Gap):
            heard += [next(listening)]
    source.close()
    assert not gaps_in(heard)
    (told,) = [item for item in heard if isinstance(item, Notice)]
    assert told.kind == "wrong_rate"
    assert "Mic: it says 48,000 samples a second and delivers 44,100: speech is" in told.text
    assert "too high and too fast" in told.text


def test_a_computer_that_slept_has_not_lost_its_device() -> None:
    portaudio = FakePortAudio(fast_clock)
    source = Microphone(clock=fast_clock, portaudio=portaudio)
    stream = iter(source)
    next(stream)
    portaudio.delivering = False
    time.sleep(3 / SPEED)
    portaudio.delivering = True
    heard = list(itertools.islice(stream, 20))
    source.close()
    assert not any("disappeared" in item.text for item in heard if isinstance(item, Notice))
    assert len(portaudio.streams) == 1


def test_closing_twice_or_before_hearing_is_fine(portaudio: FakePortAudio) -> None:
    source = Microphone(portaudio=portaudio)
    source.close()
    source.close()
    assert list(source) == []
    assert portaudio.streams[0].closed


def test_what_a_failed_attempt_prints_stays_out_of_standard_error(
    portaudio: FakePortAudio, capfd: pytest.CaptureFixture[str]
) -> None:
    opening = portaudio.InputStream

    def noisy(**settings: Any) -> Any:
        os.write(2, b"ALSA lib pcm.c: something\n")
        return opening(**settings)

    portaudio.InputStream = noisy  # type: ignore[method-assign]
    Microphone(portaudio=portaudio).close()
    os.write(2, b"said by us\n")
    assert capfd.readouterr().err == "said by us\n"
