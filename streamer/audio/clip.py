"""An utterance's audio as the bytes that a query keeps: FLAC, 16 kHz, mono, 16 bit."""

import io

import numpy as np

from streamer.messages import SAMPLE_RATE_HZ, Samples


def to_flac(audio: Samples) -> bytes:
    """audio: float32 [samples]; what is beyond [-1, 1] is clipped."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(audio, -1.0, 1.0), SAMPLE_RATE_HZ, "PCM_16", format="FLAC")
    return file.getvalue()


def from_flac(clip: bytes) -> Samples:
    """The inverse of `to_flac`, to 16 bit."""
    import soundfile

    audio, _ = soundfile.read(io.BytesIO(clip), dtype="float32")
    return np.asarray(audio, np.float32)
