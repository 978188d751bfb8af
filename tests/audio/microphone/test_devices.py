import subprocess
import sys
from pathlib import Path

import pytest

from streamer.audio.microphone.devices import Device, choose_device, find_again, list_devices
from streamer.errors import NoDevice
from tests.audio.fake_portaudio import FakePortAudio

ROOT = Path(__file__).parents[3]


def device(index: int, name: str, host_api: str = "ALSA", *, is_default: bool = False) -> Device:
    return Device(index, name, host_api, 2, 48_000, is_default)


DEVICES = [
    device(0, "HDA Intel: ALC257 (hw:0,0)"),
    device(2, "USB Audio: - (hw:1,0)"),
    device(3, "USB Audio: - (hw:2,0)"),
    device(5, "pulse"),
    device(6, "default", is_default=True),
    device(7, "pulse", "JACK"),
    device(8, "pulse monitor", "JACK"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 6),
        (2, 2),
        ("3", 3),
        ("intel", 0),
        ("usb hw:2", 3),
        ("PULSE", 5),
        ("pulse, jack", 7),
        ("monitor", 8),
    ],
)
def test_a_device_is_chosen_by_number_or_name(wanted: str | int | None, index: int) -> None:
    assert choose_device(DEVICES, wanted).index == index


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("usb", "could be any of 2 'USB Audio: - (hw:1,0)', 3 'USB Audio: - (hw:2,0)'; give"),
        ("bluetooth", "no microphone 'bluetooth'; there are 0 'HDA Intel"),
        (1, "no microphone '1'; there are"),
        ("99", "no microphone '99'; there are"),
    ],
)
def test_a_device_that_is_not_clear_is_refused(wanted: str | int, said: str) -> None:
    with pytest.raises(NoDevice) as refused:
        choose_device(DEVICES, wanted)
    assert said in str(refused.value)


def test_without_a_default_the_first_device_is_taken() -> None:
    assert choose_device(DEVICES[:2], None).index == 0


def test_a_device_is_found_again_by_its_name() -> None:
    moved = [device(4, "USB Audio: - (hw:2,0)"), device(9, "USB Audio: - (hw:1,0)")]
    assert find_again(moved, DEVICES[1]).index == 9
    assert find_again(moved[:1], DEVICES[1]).index == 4
    with pytest.raises(NoDevice):
        find_again([device(5, "pulse", "JACK")], DEVICES[3])
    with pytest.raises(NoDevice):
        find_again([], DEVICES[0])


def test_only_devices_that_record_are_listed() -> None:
    portaudio = FakePortAudio()
    portaudio.devices = {"Speaker": (0, (48_000,)), "Mic": (2, (44_100, 16_000))}
    portaudio.default_name = "Mic"
    portaudio._initialize()
    assert list_devices(portaudio) == [Device(1, "Mic", "ALSA", 2, 44_100, True)]


def test_missing_portaudio_is_an_error_with_its_remedy() -> None:
    program = (
        "import ctypes.util, sys\n"
        "ctypes.util.find_library = lambda name: None\n"
        "sys.modules['_sounddevice_data'] = None\n"
        "from streamer.errors import PortAudioMissing\n"
        "from streamer.audio.microphone.devices import list_devices\n"
        "from streamer.audio.sources.open import open_source\n"
        "for use in (list_devices, lambda: open_source(None)):\n"
        "    try:\n"
        "        use()\n"
        "    except PortAudioMissing as error:\n"
        "        print(error.exit_code, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=30,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("3 no microphone without the PortAudio library")
        assert "sudo apt install libportaudio2" in line
        assert "--input FILE" in line


def test_the_door_loads_no_audio_library() -> None:
    program = (
        "import sys\n"
        "import streamer.audio.sources.open, streamer.audio.microphone.devices\n"
        "import streamer.audio.microphone.source, streamer.audio.resampling\n"
        "import streamer.audio.sources.files, streamer.audio.sources.stdin\n"
        "print([name for name in ('sounddevice', 'soundfile', 'soxr') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
