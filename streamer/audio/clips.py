"""An utterance's audio as the bytes that a query keeps: FLAC, 16 kHz, mono, 16 bit."""

import io
import os
from pathlib import Path
from typing import Final

import numpy as np

from streamer.audio.channels import ChannelMixer
from streamer.errors import UnreadableAudio
from streamer.types import SAMPLE_RATE_HZ, Samples

# A frame of MP3 leans on the ones before it: whoever begins in the middle hears noise for a while.
_LEAD_S: Final = 0.1


def to_flac(audio: Samples) -> bytes:
    """audio: float32 [samples]; what is beyond [-1, 1] is clipped."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(audio, -1.0, 1.0), SAMPLE_RATE_HZ, "PCM_16", format="FLAC")
    return file.getvalue()


def from_flac(clip: bytes) -> Samples:
    """The inverse of `to_flac`, to 16 bit. Raises UnreadableAudio for bytes that are none of it."""
    import soundfile

    try:
        audio, _ = soundfile.read(io.BytesIO(clip), dtype="float32")
    # RuntimeError, TypeError: soundfile's own, of what it cannot make out.
    except (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableAudio(
            f"a clip of {len(clip):,} bytes cannot be read ({error}): forget its utterance"
        ) from error
    return np.asarray(audio, np.float32)


def from_recording(
    path: Path, onset_s: float, offset_s: float, channel: int | None = None
) -> Samples | None:
    """A piece of a recording, float32 [n] at 16 kHz; None if unreadable.

    channel: counted from 1; None mixes all that are good.
    """
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            rate_hz = file.samplerate
            onset = round(onset_s * rate_hz)
            before = min(onset, round(_LEAD_S * rate_hz))
            file.seek(onset - before)
            count = before + round((offset_s - onset_s) * rate_hz)
            audio = file.read(count, dtype="float32", always_2d=True)[before:]
    except (soundfile.LibsndfileError, OSError):
        return None
    if channel is not None and channel > audio.shape[1]:
        return None
    if channel is not None:
        audio = audio[:, channel - 1 : channel]
    elif audio.shape[1] > 1:
        mixer = ChannelMixer(rate_hz, audio.shape[1])
        audio = np.concatenate((mixer.push(np.nan_to_num(audio)), mixer.finish()))
    mono = audio[:, 0]
    return np.asarray(soxr.resample(np.nan_to_num(mono), rate_hz, SAMPLE_RATE_HZ), np.float32)
