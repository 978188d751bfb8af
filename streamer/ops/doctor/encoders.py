"""Checks of the two networks: file hashes, and loading as the loop loads them."""

from collections.abc import Iterator

from streamer.audio.vad import SileroVoiceActivity
from streamer.config import Config
from streamer.encoders.registry import find_encoder, known_encoders, verify_files
from streamer.errors import EncoderError, StreamerError
from streamer.loop.compose import make_encoder
from streamer.ops.doctor.finding import Finding, fail, ok, warn


def examine(config: Config) -> Iterator[Finding]:
    """The voice activity model, the encoder that the settings name, and the files of the others."""
    try:
        SileroVoiceActivity()
        yield ok("voice activity", "Silero, loaded")
    except EncoderError as error:
        yield fail("voice activity", error)
    except ImportError as error:
        broken = EncoderError(f"onnxruntime cannot be loaded: {error}")
        yield fail("onnxruntime", broken, "python -m pip install --force-reinstall onnxruntime")
        return
    try:
        row = find_encoder(config.encoder, config.models)
        verify_files(row)
        make_encoder(config, row.name)
        yield ok("encoder", f"{row.name}, files match the manifest, loaded")
        others = [other for other in known_encoders(config.models) if other.name != row.name]
    except StreamerError as error:
        yield fail("encoder", error, "streamer models verify")
        return
    for other in others:
        try:
            verify_files(other)
        except StreamerError as error:
            yield warn(f"encoder {other.name}", str(error), "streamer models verify")
