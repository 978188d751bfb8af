"""The doctor listens to each microphone and says what it is like."""

import numpy as np
import pytest

from streamer.audio.microphone.devices import list_devices
from streamer.audio.sound_measure import measure
from streamer.ops.doctor.finding import Finding
from streamer.ops.doctor.listening import describe, listen
from streamer.types import SAMPLE_RATE_HZ, Samples
from tests.audio.fake_portaudio import FakePortAudio

T = np.arange(2 * 48_000) / 48_000


def found(sound: Samples, rate_hz: int = 48_000, measured_hz: float = 48_000) -> Finding:
    sound = np.asarray(sound, np.float32).reshape(len(sound), -1)
    return describe("sound", measure(sound, rate_hz), rate_hz, measured_hz)


def room(level: float = 0.001) -> Samples:
    return level * np.random.default_rng(3).standard_normal(len(T))


def test_a_quiet_room_is_fine() -> None:
    finding = found(room())
    assert finding.state == "ok"
    for word in ("level -65 dBFS", "SNR", "offset none", "hum none", "48,000 samples a second"):
        assert word in finding.said


@pytest.mark.parametrize(
    ("sound", "said", "remedy"),
    [
        (0 * T, "digital silence", "unmute"),
        (0 * T + 0.1, "never changes", "unmute"),
        (room() + 0.05, "offset +0.050", "see the manual of the device"),
        (
            room() + 0.1 * np.sin(2 * np.pi * 50 * T),
            "hum 50 Hz at -23 dBFS",
            "see the manual of the device",
        ),
        (np.stack([room(), 0 * T], axis=1), "channel 2 is dead", "see the manual of the device"),
        (room(1e-5), "dBFS", "turn it up"),
        (np.clip(room(2.0), -1, 1), "dBFS", "turn it down"),
        (room(0.05), "dBFS", "noise is as loud"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(sound: Samples, said: str, remedy: str) -> None:
    finding = found(sound)
    assert finding.state == "warn"
    assert said in finding.said
    assert remedy in finding.remedy


def test_a_rate_that_is_not_the_one_it_says() -> None:
    finding = found(room(), measured_hz=44_100)
    assert finding.state == "warn"
    assert "it says 48,000" in finding.said


def test_each_device_is_listened_to() -> None:
    portaudio = FakePortAudio()
    portaudio.devices |= {"Other": (1, (16_000,)), "ALSA's own": (32, (16_000,))}
    portaudio._listed = dict(portaudio.devices)
    devices = list_devices(portaudio)
    findings = list(listen(portaudio, devices, devices[0], None))
    assert [finding.check for finding in findings] == ["sound", "sound of Other"]
    # The fake delivers ones.
    assert all("never changes" in finding.said for finding in findings)
    assert all(not stream.running for stream in portaudio.streams)


def test_a_device_that_delivers_nothing() -> None:
    portaudio = FakePortAudio()
    portaudio.delivering = False
    devices = list_devices(portaudio)
    (finding,) = listen(portaudio, devices, devices[0], None)
    assert finding.state == "warn"
    assert "delivers nothing" in finding.said


def test_a_second_of_voice_has_its_snr(spoken_session) -> None:
    sound = spoken_session[0][: 4 * SAMPLE_RATE_HZ, np.newaxis]
    assert measure(sound, SAMPLE_RATE_HZ).snr_db > 15
