"""A clip made audible, or at least found: on a headless machine there may be no sound output."""

import os
from pathlib import Path

from streamer.audio.clips import from_flac
from streamer.audio.microphone.devices import load_portaudio
from streamer.errors import AudioError, NoDevice
from streamer.types import SAMPLE_RATE_HZ


def play(clip: bytes, folder: Path | None) -> str:
    """Play a FLAC clip and say so; else leave it as a file in `folder`, and say where.

    The file is its owner's alone; its name is this process's, so that two who label at once do
    not hear each other's. folder: None where no audio may lie on the disk.
    """
    try:
        sounddevice = load_portaudio()
        try:
            sounddevice.play(from_flac(clip), SAMPLE_RATE_HZ)
        except sounddevice.PortAudioError as error:
            raise NoDevice(str(error)) from error
    except AudioError:
        return _leave(clip, folder)
    return "playing"


def _leave(clip: bytes, folder: Path | None) -> str:
    if folder is None:
        return "it cannot be heard here: no sound output, and no audio may lie on the disk"
    path = folder / f"clip-{os.getpid()}.flac"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(clip)
    except OSError as error:
        return f"it cannot be heard here: no sound output, and no file {path}: {error.strerror}"
    return f"no sound output here; until you stop, it is in {path}"
