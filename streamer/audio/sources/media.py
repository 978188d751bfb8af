"""Formats that libsndfile does not read (M4A, AAC, WebM, video, streams), through FFmpeg.

By PyAV where it is installed (`pip install 'streamer[media]'`), else by the program `ffmpeg` where
that is there.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from streamer.audio.sources.wav_parser import WavParser
from streamer.errors import UnreadableAudio
from streamer.text import many
from streamer.types import Notice, Samples

REMEDY: Final = (
    "install what reads it: pip install 'streamer[media]' (or ffmpeg), or convert it: "
    "ffmpeg -i FILE out.wav"
)
SHORTAGE_S: Final = 0.5
_READ_BYTES: Final = 65_536


class Decoder(Protocol):
    """One recording, decoded as it is read. rate_hz and channels may change between blocks.

    notices: what is wrong with it, complete after the last block. is_live: it has no length.
    """

    rate_hz: int
    channels: int
    is_live: bool

    @property
    def notices(self) -> list[Notice]: ...

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """float32 [n, channels], n > 0, in order."""
        ...

    def close(self) -> None: ...


def open_media(
    what: "Path | str | Any", name: str, options: dict[str, str] | None = None
) -> Decoder:
    """what: a path, an address, or an object with `read`. name: for messages.

    Raises UnreadableAudio where nothing here reads it.
    """
    try:
        import av  # noqa: F401
    except ImportError:
        program = shutil.which("ffmpeg")
        if program is None or hasattr(what, "read"):
            raise UnreadableAudio(f"{name} needs FFmpeg; {REMEDY}") from None
        return FfmpegDecoder(program, str(what), name)
    return AvDecoder(what, name, options)


def can_open_media() -> bool:
    from importlib.util import find_spec

    return find_spec("av") is not None or shutil.which("ffmpeg") is not None


class AvDecoder:
    """By PyAV. what: as for `open_media`."""

    def __init__(self, what: Any, name: str, options: dict[str, str] | None = None) -> None:
        import av

        self._errors: Any = (av.error.FFmpegError, OSError)
        self._name = name
        self.notices: list[Notice] = []
        try:
            self._container: Any = av.open(
                str(what) if isinstance(what, Path) else what,
                options=options or {},
                timeout=None if hasattr(what, "read") else 10.0,
            )
        except self._errors as error:
            raise UnreadableAudio(
                f"{name} cannot be read as audio ({_reason(error)}); give another recording"
            ) from error
        if not self._container.streams.audio:
            self._container.close()
            raise UnreadableAudio(f"{name} holds no sound; give another recording")
        stream = self._container.streams.audio[0]
        self.rate_hz = int(stream.rate or 0)
        self.channels = int(stream.channels or 0)
        if not self.rate_hz or not self.channels:
            self._container.close()
            raise UnreadableAudio(f"{name} does not say its rate; give another recording")
        others = len(self._container.streams.audio) - 1
        if others:
            self.notices.append(Notice(f"the first of its {others + 1} sound tracks is heard"))
        duration = stream.duration
        self.is_live = not self._container.duration
        base = stream.time_base
        self._promised_s = float(duration * base) if duration and base else 0.0

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        import av

        heard_s = 0.0
        broken = 0
        planar = av.AudioResampler(format="fltp")
        stream = self._container.streams.audio[0]
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                break
            except self._errors as error:
                if isinstance(error, EOFError):
                    break
                broken += 1
                if broken > 10_000 or not isinstance(error, av.error.InvalidDataError):
                    self.notices.append(
                        Notice(f"broken after {heard_s:.2f} s ({_reason(error)})", "undecoded")
                    )
                    break
                continue
            for frame in frames:
                if frame.sample_rate != self.rate_hz or len(frame.layout.channels) != self.channels:
                    self.rate_hz, self.channels = frame.sample_rate, len(frame.layout.channels)
                    planar = av.AudioResampler(format="fltp")
                for one in planar.resample(frame):
                    samples = np.ascontiguousarray(one.to_ndarray().T, np.float32)
                    heard_s += len(samples) / self.rate_hz
                    for at in range(0, len(samples), block_samples):
                        yield samples[at : at + block_samples]
        if broken:
            text = f"{many(broken, 'packet')} could not be decoded"
            self.notices.append(Notice(text, "undecoded"))
        if self._promised_s - heard_s > SHORTAGE_S:
            self.notices.append(
                Notice(
                    f"cut short: {self._promised_s:.2f} s promised, {heard_s:.2f} s there",
                    "undecoded",
                )
            )

    def close(self) -> None:
        self._container.close()


class FfmpegDecoder:
    """By the program `ffmpeg`, which writes WAV into a pipe."""

    def __init__(self, program: str, what: str, name: str) -> None:
        self.notices: list[Notice] = []
        self.is_live = False
        self._process = subprocess.Popen(
            [program, "-nostdin", "-v", "error", "-i", what, "-map", "0:a:0", "-f", "wav",
             "-c:a", "pcm_f32le", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._parser = WavParser(name)
        self._first: list[Any] = []
        while self._parser.pcm is None:
            data = self._process.stdout.read(_READ_BYTES)
            if not data:
                _, said = self._process.communicate()
                words = said.decode("utf-8", "replace").strip().splitlines() or ["no sound"]
                raise UnreadableAudio(f"{name} cannot be read ({words[-1]}); {REMEDY}")
            self._first += self._parser.feed(data)
        self.rate_hz = self._parser.pcm.rate_hz
        self.channels = self._parser.pcm.channels

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        assert self._process.stdout is not None
        pieces = self._first
        while True:
            for _, samples in pieces:
                for at in range(0, len(samples), block_samples):
                    yield samples[at : at + block_samples]
            data = self._process.stdout.read(_READ_BYTES)
            if not data:
                break
            pieces = list(self._parser.feed(data))
        for _, samples in self._parser.finish():
            yield samples
        _, said = self._process.communicate()
        if self._process.returncode:
            words = said.decode("utf-8", "replace").strip().splitlines() or ["ffmpeg failed"]
            self.notices.append(Notice(f"broken: {words[-1]}", "undecoded"))

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def _reason(error: Any) -> str:
    return str(getattr(error, "strerror", "") or error).strip().rstrip(".")
