"""Checks of the microphone: PortAudio, permissions, devices, rates."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from streamer.audio.microphone.background import BackgroundCall
from streamer.audio.microphone.capture import choose_channels, choose_rate
from streamer.audio.microphone.captured_stderr import CapturedStandardError
from streamer.audio.microphone.devices import Device, choose_device, list_devices, load_portaudio
from streamer.audio.resampling import check_channel
from streamer.errors import AudioError, NoDevice, PortAudioMissing, StreamerError
from streamer.ops.doctor.finding import Finding, fail, ok, warn
from streamer.ops.doctor.listening import listen
from streamer.text import many
from streamer.types import SAMPLE_RATE_HZ

SOUND_FILES: Final = Path("/dev/snd")
PATIENCE_S: Final = 10.0
INSTALL: Final = "sudo apt install libportaudio2"
JOIN: Final = "sudo usermod -aG audio $USER, then log in again"


def examine(
    wanted: str | None, channel: int | None, sound_files: Path = SOUND_FILES
) -> Iterator[Finding]:
    """wanted, channel: the microphone that the settings name."""
    try:
        portaudio = load_portaudio()
    except PortAudioMissing as error:
        yield fail("PortAudio", error, INSTALL)
        return
    except AudioError as error:
        yield fail("PortAudio", error)
        return
    yield ok("PortAudio", portaudio.get_portaudio_version()[1])
    asked = BackgroundCall(lambda: _devices(portaudio))
    if not asked.wait(PATIENCE_S):
        hangs = AudioError(f"the audio system has not responded for {PATIENCE_S:.0f} s")
        yield fail("microphones", hangs, "restart PulseAudio, PipeWire or JACK")
        return
    try:
        devices = asked.result()
    except AudioError as error:
        yield fail("microphones", error)
        return
    shut = unreadable(sound_files)
    try:
        chosen = choose_device(devices, wanted)
    except NoDevice as error:
        yield fail("microphones", error, JOIN if shut else "")
        return
    others = ", ".join(device.name for device in devices if device is not chosen)
    yield ok("microphones", f"{chosen.name}{f'; others: {others}' if others else ''}")
    if shut:
        yield warn("permission", f"{', '.join(shut)} cannot be read", JOIN)
    rate = _rate(portaudio, chosen, channel)
    yield rate
    if rate.state != "fail":
        yield from listen(portaudio, devices, chosen, channel)


def unreadable(sound_files: Path) -> list[str]:
    """ALSA's capture devices that this user may not open."""
    return sorted(
        str(file) for file in sound_files.glob("pcm*c") if not os.access(file, os.R_OK | os.W_OK)
    )


def _devices(portaudio: Any) -> list[Device]:
    with CapturedStandardError():
        return list_devices(portaudio)


def _rate(portaudio: Any, device: Device, channel: int | None) -> Finding:
    try:
        channels = choose_channels(device, channel)
        check_channel(channel, channels)
    except StreamerError as error:
        return fail("channel", error)
    with CapturedStandardError():
        rate_hz = choose_rate(portaudio, device, channels)
    said = f"{rate_hz:,} Hz, {many(channels, 'channel')}"
    if rate_hz < SAMPLE_RATE_HZ:
        return warn(
            "rate",
            f"{said}: below 16,000 Hz, part of the speech is missing",
            "use another microphone",
        )
    return ok("rate", said if rate_hz == SAMPLE_RATE_HZ else f"{said}, resampled to 16,000 Hz")
