"""What `Microphone` uses of sounddevice, without hardware and with faults on demand."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from streamer.types import Samples


class PortAudioError(Exception):
    pass


class FakePortAudio:
    """devices: name to (channels, rates it takes, the default first); the order gives the index.

    A stream delivers blocks of ones at the pace of `clock`, while `delivering`. `hang` makes
    every call that ends a stream or PortAudio wait for ever, as with a JACK server that died.
    """

    PortAudioError = PortAudioError

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.devices: dict[str, tuple[int, tuple[int, ...]]] = {"Mic": (1, (16_000,))}
        self.default_name: str | None = None
        self.delivering = True
        self.overflowing = False
        self.hang = threading.Event()
        self.streams: list[FakeStream] = []
        self.exits = 0
        self._listed = dict(self.devices)

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA"}]

    def query_devices(self, kind: str | None = None) -> Any:
        described = [
            {
                "index": index,
                "name": name,
                "hostapi": 0,
                "max_input_channels": channels,
                "default_samplerate": float(rates_hz[0]),
            }
            for index, (name, (channels, rates_hz)) in enumerate(self._listed.items())
        ]
        if kind is None:
            return described
        for device in described:
            if device["name"] == self.default_name:
                return device
        raise PortAudioError("Error querying device -1")

    def check_input_settings(self, device: int, channels: int, dtype: str, samplerate: int) -> None:
        if samplerate not in list(self._listed.values())[device][1]:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def InputStream(self, **settings: Any) -> "FakeStream":  # noqa: N802
        name = list(self._listed)[settings["device"]]
        if name not in self.devices:
            raise PortAudioError("Error opening InputStream: Device unavailable")
        self.check_input_settings(
            settings["device"], settings["channels"], settings["dtype"], settings["samplerate"]
        )
        stream = FakeStream(self, name, settings)
        self.streams.append(stream)
        return stream

    def unplug(self, name: str) -> None:
        del self.devices[name]
        for stream in self.streams:
            if stream.name == name:
                stream.running = False
                stream.settings["finished_callback"]()

    def wait_if_hanging(self) -> None:
        while self.hang.is_set():
            time.sleep(0.01)

    def _terminate(self) -> None:
        self.wait_if_hanging()

    def _initialize(self) -> None:
        self._listed = dict(self.devices)

    def _exit_handler(self) -> None:
        self.exits += 1


class FakeStream:
    def __init__(self, portaudio: FakePortAudio, name: str, settings: dict[str, Any]) -> None:
        self.portaudio = portaudio
        self.name = name
        self.settings = settings
        self.running = False
        self.closed = False

    def start(self) -> None:
        self.running = True
        threading.Thread(target=self._deliver, daemon=True).start()

    def abort(self, ignore_errors: bool) -> None:
        self.portaudio.wait_if_hanging()
        self.running = False

    def close(self, ignore_errors: bool) -> None:
        self.closed = True

    def send(self, samples: Samples, overflow: bool = False) -> None:
        status = SimpleNamespace(input_overflow=overflow)
        self.settings["callback"](samples, len(samples), None, status)

    def _deliver(self) -> None:
        rate_hz, block = self.settings["samplerate"], self.settings["blocksize"]
        next_s = self.portaudio.clock()
        while self.running:
            next_s += block / rate_hz
            while self.running and self.portaudio.clock() < next_s:
                time.sleep(0.001)
            if self.running and self.portaudio.delivering:
                samples = np.ones((block, self.settings["channels"]), np.float32)
                self.send(samples, self.portaudio.overflowing)
