"""The door to all sources: what `--input` and `--device` mean."""

import time
from collections.abc import Callable
from pathlib import Path

from streamer.audio.resampling import check_channel
from streamer.audio.sources.finite import FiniteSource
from streamer.audio.sources.network import is_address
from streamer.audio.sources.protocol import Delivered, HeardFiles, Source

__all__ = ["Delivered", "Source", "open_source"]


def open_source(
    input: str | Path | None,
    *,
    device: str | int | None = None,
    channel: int | None = None,
    realtime: bool = False,
    heard_files: HeardFiles | None = None,
    again: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Source:
    """Opens what is to be heard.

    input: a file, a folder, an address (rtsp, http), "-" for standard input, or None for the
    microphone `device` (an index, a name or a part of it, None for the default one). channel:
    counted from 1, None for all; the source delivers every channel that it opens, the utterance
    stream picks. realtime: hand out a recording at the pace of its clock. heard_files, again: see
    `files.FileSource`.

    Raises AudioError where there is nothing to hear, UsageError for a channel that is not there.
    """
    if input is None:
        from streamer.audio.microphone.source import Microphone

        source: Source = Microphone(device, channel, clock=clock)
    elif str(input) == "-":
        from streamer.audio.sources.stdin import StdinSource

        source = StdinSource()
    elif is_address(str(input)):
        from streamer.audio.sources.network import NetworkSource

        source = NetworkSource(str(input), clock=clock)
    else:
        from streamer.audio.sources.files import FileSource

        source = FileSource(
            Path(input), realtime=realtime, heard_files=heard_files, again=again, clock=clock
        )
    try:
        check_channel(channel, source.channels)
    except Exception:
        source.close()
        raise
    return FiniteSource(source)
