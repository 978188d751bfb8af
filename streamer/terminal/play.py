"""Play a clip, or write it to a file on a machine without sound output."""

from pathlib import Path
from typing import Final

from streamer.audio.clips import from_flac
from streamer.audio.microphone.devices import load_portaudio
from streamer.errors import AudioError, NoDevice
from streamer.store.playback import PlaybackFile
from streamer.types import SAMPLE_RATE_HZ

# What it takes to open the output, at most, before the first sound.
OPENING_S: Final = 0.5


def play(clip: bytes, folder: Path | None, announced: PlaybackFile) -> str:
    """Play a FLAC clip, or else write it to a file in `folder`; returns a message for the user.

    Only the owner can read the file. folder: this process's own; None where no audio may or can be
    written to disk. announced: informs a loop that listens on this machine, before playback begins.
    """
    try:
        sounddevice = load_portaudio()
        audio = from_flac(clip)
        announced.begin(len(audio) / SAMPLE_RATE_HZ + OPENING_S)
        try:
            sounddevice.play(audio, SAMPLE_RATE_HZ)
        except sounddevice.PortAudioError as error:
            announced.end()
            raise NoDevice(str(error)) from error
    except AudioError:
        return _leave(clip, folder)
    return "playing"


def _leave(clip: bytes, folder: Path | None) -> str:
    if folder is None:
        return "cannot be played: no sound output, and no audio may be written to the disk"
    path = folder / "clip.flac"
    try:
        path.touch(mode=0o600)
        path.write_bytes(clip)
    except OSError as error:
        return f"cannot be played: no sound output, and {path} cannot be written: {error.strerror}"
    return f"no sound output; until you stop, the clip is in {path}"
