"""The microphone: heard, lost, waited for, taken up again."""

import atexit
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from streamer.audio.microphone.background import BackgroundCall
from streamer.audio.microphone.capture import Capture, choose_channels, choose_rate
from streamer.audio.microphone.captured_stderr import CapturedStandardError
from streamer.audio.microphone.devices import (
    Device,
    choose_device,
    find_again,
    list_devices,
    load_portaudio,
    refresh,
)
from streamer.audio.microphone.probe import OTHER_INPUT
from streamer.audio.resampling import check_channel
from streamer.audio.sources.protocol import Delivered
from streamer.errors import AudioError, NoDevice
from streamer.types import Chunk, Gap, Notice

POLL_S: Final = 0.03
TICK_S: Final = 0.1
LONGEST_CHUNK_S: Final = 0.5
FIRST_BLOCK_S: Final = 4.0
FIRST_BLOCK_AGAIN_S: Final = 2.0
RETRY_S: Final = 0.5
# How fast the pause between attempts grows, and to what, while the device is absent or silent.
ABSENT: Final = (1.1, 2.0)
SILENT: Final = (1.5, 6.0)
ATTEMPT_S: Final = 0.2
PATIENCE_S: Final = 10.0
CLOSE_S: Final = 2.0
REMIND_S: Final = 60.0
TELL_AGAIN_S: Final = 5.0
MOST_LINES: Final = 3


class Microphone:
    """A live source: one device by index, name or default, remembered by its name.

    Listens from construction on. A device that goes away is noticed within about a second, said,
    waited for, and opened again by the same name, rate and channels; an empty Gap marks where it
    went, and the Gap that counts the time without it (reason "device_lost") comes before the
    first chunk after it. Samples that the ring had no room for, or that the audio server lost,
    are a Gap of reason "overflow"; the server's are found some seconds later, and stand where
    they were found.

    device: PortAudio's index, a name or a part of it; None is the system's default.
    channel: counted from 1, only to open as many channels as that takes.
    portaudio: a module like sounddevice, which is loaded where it is None.
    Raises PortAudioMissing, NoDevice, UsageError for a channel that is not there, and AudioError
    where the audio system does not answer.
    """

    kind = "microphone"

    def __init__(
        self,
        device: str | int | None = None,
        channel: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        portaudio: Any = None,
    ) -> None:
        self._clock = clock
        self._portaudio = load_portaudio() if portaudio is None else portaudio
        self._closed = False
        self._stderr = CapturedStandardError()
        self._said = ""
        self._overflow_flags = self._overflow_lost = 0
        self._told_overflow_s = -TELL_AGAIN_S
        self._told_rate = False
        self._pending = BackgroundCall(partial(self._open_first, device, channel))
        if not self._pending.wait(PATIENCE_S):
            self.close()
            raise AudioError(
                f"the audio system has not answered for {PATIENCE_S:.0f} s; "
                f"restart it (PulseAudio, PipeWire or JACK), {OTHER_INPUT}"
            )
        self._capture = self._pending.result()
        self._device = self._capture.device
        self.name = self._device.name
        self.rate_hz = self._capture.rate_hz
        self.channels = self._capture.channels

    def __iter__(self) -> Iterator[Delivered]:
        while not self._closed:
            yield from self._listen()
            if self._closed:
                break
            lost_s = self._capture.heard_until_s
            text = f"microphone '{self.name}' disappeared; waiting for it"
            yield Notice(text, "device_lost")
            yield Gap(0, "device_lost")
            yield from self._wait_for_it()
            if self._capture.first_sample_s is not None:
                away_s = max(0.0, self._capture.first_sample_s - lost_s)
                lost = round(away_s * self.rate_hz)
                yield Gap(lost, "device_lost")
                back = f"microphone '{self.name}' is back after {away_s:.1f} s"
                yield Notice(f"{back} ({lost:,} samples lost)", "device_lost")

    def close(self) -> None:
        """Ends the stream within about `CLOSE_S`; what hangs in PortAudio is left behind."""
        if self._closed:
            return
        self._closed = True
        over = self._pending.wait(CLOSE_S)
        self._stderr.restore()
        if over:
            capture = self._opened()
            if capture is None or self._close_in_background(capture):
                return
        # PortAudio hangs: its own handler at exit would hang in the same way.
        handler = getattr(self._portaudio, "_exit_handler", None)
        if handler is not None:
            atexit.unregister(handler)

    def _listen(self) -> Iterator[Delivered]:
        """Until the device is gone, and what it delivered before is heard."""
        capture, ring = self._capture, self._capture.ring
        longest = round(LONGEST_CHUNK_S * self.rate_hz)
        yielded_s = self._clock()
        gone = False
        taken = 0  # of what the device delivered, what the ring had no room for included
        while not self._closed:
            samples, lost = ring.read(longest)
            captured_s = capture.arrived_s(taken)
            taken += len(samples) + lost
            lost += capture.lost_unseen()
            if len(samples):
                yield Chunk(samples, self.rate_hz, self.name, captured_s)
            if lost:
                yield Gap(lost, "overflow")
            yield from self._tell_overflow(lost)
            yield from self._tell_rate()
            if len(samples) or lost:
                yielded_s = self._clock()
            elif gone:
                return
            elif capture.is_gone():
                gone = True
                ring.mark_loss()
            else:
                time.sleep(POLL_S)
                if self._clock() - yielded_s >= TICK_S:
                    yield self._tick()
                    yielded_s = self._clock()

    def _wait_for_it(self) -> Iterator[Delivered]:
        """Until the device delivers again, in `self._capture`.

        It is tried less and less often: an attempt takes 50 ms, and PortAudio keeps a whole core
        busy on a stream that is open and silent.
        """
        since_s = said_s = self._clock()
        retry_s = RETRY_S
        while not self._closed:
            yield from self._attempt()
            growth, longest_s = ABSENT
            if (reopened := self._opened()) is not None:
                self._capture = reopened
                while reopened.first_sample_s is None and not reopened.is_gone():
                    yield self._tick()
                    time.sleep(POLL_S)
                if reopened.first_sample_s is not None:
                    self._overflow_flags = 0
                    return
                growth, longest_s = SILENT
                BackgroundCall(reopened.close).wait(ATTEMPT_S)
            until_s = self._clock() + retry_s
            retry_s = min(retry_s * growth, longest_s)
            while self._clock() < until_s and not self._closed:
                yield self._tick()
                time.sleep(TICK_S)
            if self._clock() - said_s > REMIND_S:
                said_s = self._clock()
                yield Notice(
                    f"still waiting for microphone '{self.name}', {said_s - since_s:.0f} s by now"
                    f"{self._said}",
                    "device_lost",
                )

    def _attempt(self) -> Iterator[Delivered]:
        """Until an attempt to open the device again is over.

        The first moments are waited out without a tick, so that the loop, which may be drawing
        on standard error, does not run while that is shut.
        """
        self._pending = BackgroundCall(partial(self._open_again, self._capture))
        asked_s = self._clock()
        told = False
        over = self._pending.wait(ATTEMPT_S)
        while not over and not self._closed:
            self._stderr.restore()
            yield self._tick()
            over = self._pending.wait(TICK_S)
            if not told and self._clock() - asked_s > PATIENCE_S:
                told = True
                yield Notice(
                    "the audio system does not answer; if that lasts, restart it and Streamer",
                    "device_lost",
                )

    def _open_first(self, device: str | int | None, channel: int | None) -> Capture:
        chosen = choose_device(list_devices(self._portaudio), device)
        channels = choose_channels(chosen, channel)
        check_channel(channel, channels)
        return self._open(chosen, None, channels, FIRST_BLOCK_S)

    def _open_again(self, gone: Capture) -> Capture:
        gone.close()
        refresh(self._portaudio)
        device = find_again(list_devices(self._portaudio), self._device)
        return self._open(device, self.rate_hz, self.channels, FIRST_BLOCK_AGAIN_S)

    def _open(
        self, device: Device, rate_hz: int | None, channels: int, first_block_s: float
    ) -> Capture:
        """rate_hz: None to choose one. Raises NoDevice with what the audio system printed."""
        portaudio, clock = self._portaudio, self._clock
        try:
            with self._stderr:
                rate_hz = rate_hz or choose_rate(portaudio, device, channels)
                capture = Capture(portaudio, device, rate_hz, channels, clock, first_block_s)
        except NoDevice as error:
            self._said = _said(self._stderr.lines())
            raise NoDevice(f"{error}{self._said}") from error
        if self._closed:
            capture.close()
        return capture

    def _opened(self) -> Capture | None:
        """What the last attempt opened; None where it is not over, or the device is not back."""
        try:
            return self._pending.result() if self._pending.wait(0) else None
        except (AudioError, self._portaudio.PortAudioError):
            return None

    def _close_in_background(self, capture: Capture) -> bool:
        return BackgroundCall(capture.close).wait(CLOSE_S)

    def _tell_overflow(self, lost: int) -> Iterator[Notice]:
        self._overflow_lost += lost
        now_s = self._clock()
        if now_s - self._told_overflow_s < TELL_AGAIN_S:
            return
        flags = self._capture.overflow_flags
        if self._overflow_lost:
            yield Notice(
                f"microphone '{self.name}': {self._overflow_lost:,} samples lost "
                f"({self._overflow_lost / self.rate_hz:.2f} s), this machine was too busy",
                "overflow",
            )
        elif flags > self._overflow_flags:
            yield Notice(
                f"microphone '{self.name}': the audio system reports "
                f"{flags - self._overflow_flags:,} overflows",
                "overflow",
            )
        else:
            return
        self._told_overflow_s = now_s
        self._overflow_lost, self._overflow_flags = 0, flags

    def _tell_rate(self) -> Iterator[Notice]:
        true_hz = self._capture.true_rate_hz
        if true_hz is None or self._told_rate:
            return
        self._told_rate = True
        pitch = "too low and too slow" if true_hz > self.rate_hz else "too high and too fast"
        yield Notice(
            f"{self.name}: it says {self.rate_hz:,} samples a second and delivers {true_hz:,}: "
            f"speech is heard {pitch}; choose another rate in its settings, or another device",
            "wrong_rate",
        )

    def _tick(self) -> Chunk:
        return Chunk(np.zeros((0, self.channels), np.float32), self.rate_hz, self.name)


def _said(lines: list[str]) -> str:
    """The last messages of PortAudio and the libraries below it, in a sentence."""
    return f" (the audio system says: {'; '.join(lines[-MOST_LINES:])})" if lines else ""
