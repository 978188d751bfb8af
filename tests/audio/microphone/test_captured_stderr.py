"""What libraries print on standard error becomes part of the error message."""

import os
from typing import Any

import pytest

from streamer.audio.microphone.captured_stderr import CapturedStandardError
from streamer.audio.microphone.source import Microphone
from streamer.errors import NoDevice
from tests.audio.fake_portaudio import FakePortAudio, PortAudioError

NOISE = b"ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.front\n"
BUSY = b"ALSA lib pcm_hw.c:1829:(_snd_pcm_hw_open) Device or resource busy\n"


def test_what_is_written_inside_is_kept_and_the_rest_goes_its_way(
    capfd: pytest.CaptureFixture[str],
) -> None:
    captured = CapturedStandardError()
    for _ in range(2):
        os.write(2, b"before\n")
        with captured:
            os.write(2, NOISE + BUSY + NOISE + BUSY)
        os.write(2, b"after\n")
        assert captured.lines() == [BUSY.decode().strip()]
    assert capfd.readouterr().err == "before\nafter\n" * 2


def test_much_of_it_neither_blocks_nor_grows_without_end() -> None:
    captured = CapturedStandardError()
    with captured:
        for number in range(100_000):
            os.write(2, b"line %d\n" % number)
    assert captured.lines()[-1] == "line 99999"
    assert len(captured.lines()) < 3_000


def test_a_device_that_cannot_be_opened_is_told_with_the_words_of_the_audio_system() -> None:
    class Busy(FakePortAudio):
        def InputStream(self, **settings: Any) -> Any:  # noqa: N802
            os.write(2, NOISE + BUSY)
            raise PortAudioError("Error opening InputStream: Device unavailable")

    with pytest.raises(NoDevice) as refused:
        Microphone(portaudio=Busy())
    assert "Device unavailable" in str(refused.value)
    assert "Device or resource busy" in str(refused.value)
    assert "Unknown PCM" not in str(refused.value)
