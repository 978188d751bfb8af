"""The microphones of this machine, as PortAudio names them."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from streamer.audio.microphone.probe import OTHER_INPUT, begin
from streamer.audio.microphone.sound_server import missing_plugin
from streamer.errors import AudioError, NoDevice, PortAudioMissing


@dataclass(frozen=True, slots=True)
class Device:
    """A device that can record. index: PortAudio's, good until devices come or go.

    channels: the most it records at once; ALSA's pseudo-devices say 32 and more.
    """

    index: int
    name: str
    host_api: str
    channels: int
    default_rate_hz: int
    is_default: bool


def load_portaudio() -> Any:
    """The `sounddevice` module (it has no types).

    Raises PortAudioMissing, and AudioError where PortAudio does not start: importing it starts it.
    """
    begin().check()
    try:
        import sounddevice  # type: ignore[import-untyped, unused-ignore]
    except OSError as error:
        raise PortAudioMissing(
            f"no microphone without the PortAudio library ({error}); "
            f"install it: sudo apt install libportaudio2 (Debian, Ubuntu, Raspberry Pi OS), "
            f"{OTHER_INPUT}"
        ) from error
    except Exception as error:  # sounddevice's own, which cannot be imported before it
        raise AudioError(
            f"PortAudio does not start ({error}): see `streamer doctor`, {OTHER_INPUT}"
        ) from error
    return sounddevice


def list_devices(portaudio: Any = None) -> list[Device]:
    """All devices that can record, in PortAudio's order; none is an empty list.

    The list is the one PortAudio made when it was initialized: `refresh` it for a new one.
    Raises PortAudioMissing, AudioError.
    """
    if portaudio is None:
        portaudio = load_portaudio()
    try:
        host_apis = portaudio.query_hostapis()
        described = portaudio.query_devices()
    except portaudio.PortAudioError as error:
        raise AudioError(
            f"PortAudio lists no devices ({error.args[0]}): restart the sound server, {OTHER_INPUT}"
        ) from error
    try:
        default = portaudio.query_devices(kind="input")["index"]
    except portaudio.PortAudioError:
        default = -1
    return [
        Device(
            index=index,
            name=one["name"],
            host_api=host_apis[one["hostapi"]]["name"],
            channels=one["max_input_channels"],
            default_rate_hz=round(one["default_samplerate"]),
            is_default=index == default,
        )
        for index, one in enumerate(described)
        if one["max_input_channels"] > 0
    ]


def refresh(portaudio: Any) -> None:
    """Makes PortAudio look for devices again. All its streams must be closed; it may hang."""
    # An earlier refresh may have got only as far as ending it.
    with suppress(portaudio.PortAudioError):
        portaudio._terminate()
    portaudio._initialize()


def choose_device(devices: Sequence[Device], wanted: str | int | None) -> Device:
    """The device meant by an index, a name, a part of a name, or None (the default one).

    As in sounddevice, a name is compared without case against "NAME, HOST API", and several
    words match in any place; the exact name goes before a part of one. The same name under
    several host APIs means the default device, else the first. Raises NoDevice.
    """
    if not devices:
        why = missing_plugin() or "connect one and see: streamer devices"
        raise NoDevice(f"no microphone was found; {why}, {OTHER_INPUT}")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    if isinstance(wanted, str) and wanted.strip().isdecimal():
        wanted = int(wanted)
    if isinstance(wanted, int):
        matching = [device for device in devices if device.index == wanted]
    else:
        matching = _of_name(devices, wanted)
    names = {device.name for device in matching}
    if len(names) == 1:
        return next((device for device in matching if device.is_default), matching[0])
    if matching:
        raise NoDevice(
            f"microphone '{wanted}' could be any of {_listing(matching)}; "
            "give the whole name, or the number"
        )
    raise NoDevice(
        f"no microphone '{wanted}'; there are {_listing(devices)}; "
        f"choose one: streamer devices, {OTHER_INPUT}"
    )


def find_again(devices: Sequence[Device], remembered: Device) -> Device:
    """The device that was opened before, by its name, whatever its index is now.

    ALSA puts the card's number into the name, which may change when it is plugged in again:
    a device that differs in that alone is taken where the very same is not there.
    Raises NoDevice.
    """
    same_api = [device for device in devices if device.host_api == remembered.host_api]
    for device in same_api:
        if device.name == remembered.name:
            return device
    for device in same_api:
        if _without_card(device.name) == _without_card(remembered.name):
            return device
    raise NoDevice(f"no microphone '{remembered.name}'")


def _of_name(devices: Sequence[Device], wanted: str) -> list[Device]:
    words = wanted.lower().split()
    whole = " ".join(words)
    full_names = [f"{device.name}, {device.host_api}".lower() for device in devices]
    exact = [
        device
        for device, full_name in zip(devices, full_names, strict=True)
        if whole in (device.name.lower(), full_name)
    ]
    return exact or [
        device
        for device, full_name in zip(devices, full_names, strict=True)
        if all(word in full_name for word in words)
    ]


def _without_card(name: str) -> str:
    return re.sub(r"\s*\(hw:\d+,\d+\)$", "", name)


def _listing(devices: Sequence[Device]) -> str:
    return ", ".join(f"{device.index} '{device.name}'" for device in devices)
