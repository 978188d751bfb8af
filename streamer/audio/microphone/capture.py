"""One opened PortAudio stream, from its callback to the ring."""

from collections.abc import Callable
from typing import Any, Final

from streamer.audio.microphone.clock_loss import ClockLoss
from streamer.audio.microphone.clock_rate import ClockRate
from streamer.audio.microphone.devices import Device
from streamer.audio.microphone.probe import OTHER_INPUT
from streamer.audio.microphone.ring import Ring
from streamer.errors import NoDevice
from streamer.types import SAMPLE_RATE_HZ, Samples

RING_S: Final = 30
BLOCKS_PER_SECOND: Final = 50
MOST_CHANNELS: Final = 8


class Capture:
    """Records `device` from construction to `close`, into a ring of its own.

    The callback copies and counts, nothing else. `is_gone` tells whether the device still
    delivers, `lost_unseen` what the audio server lost on the way, `true_rate_hz` the rate that it
    delivers at, where that is surely another one than it says. May hang in any call to
    PortAudio if the audio server does: make it, and close it, in a BackgroundCall.

    Raises NoDevice where the device cannot be opened.
    """

    QUIET_S: Final = 1.0

    def __init__(
        self,
        portaudio: Any,
        device: Device,
        rate_hz: int,
        channels: int,
        clock: Callable[[], float],
        first_block_s: float,
    ) -> None:
        self.device = device
        self.rate_hz = rate_hz
        self.channels = channels
        self.ring = Ring(RING_S * rate_hz, channels)
        self.overflow_flags = 0
        self.first_sample_s: float | None = None
        self._clock = clock
        self._first_block_s = first_block_s
        self._arrived: tuple[float, int] = (clock(), 0)
        self._counted_from_s = self._watched_s = self._arrived[0]
        self._finished = self._given_up = False
        self._loss = ClockLoss(rate_hz)
        self._rate = ClockRate(rate_hz)
        self.true_rate_hz: int | None = None
        self._doubtful_loss = 0  # a loss, or a device that is slower than it says
        self._stream: Any = None
        try:
            self._stream = portaudio.InputStream(
                device=device.index,
                samplerate=rate_hz,
                channels=channels,
                dtype="float32",
                blocksize=rate_hz // BLOCKS_PER_SECOND,
                callback=self._on_block,
                finished_callback=self._on_finished,
            )
            self._stream.start()
        except (portaudio.PortAudioError, ValueError) as error:
            self.close()
            raise NoDevice(
                f"microphone '{device.name}' cannot be opened ({error.args[0]}); is it connected, "
                f"and free? choose another: streamer devices, {OTHER_INPUT}"
            ) from error

    @property
    def heard_until_s(self) -> float:
        """When the latest block came; when the stream was opened, before the first one."""
        return self._arrived[0]

    def is_gone(self) -> bool:
        """True once the stream has ended, or no block has come for `QUIET_S`.

        The first block may take `first_block_s` to come.
        Time in which nobody asked does not count: this computer may have slept, and the callback
        with it. From the first True on, blocks that come after all are ignored.
        """
        now_s = self._clock()
        if now_s - self._watched_s > self.QUIET_S / 2:
            self._counted_from_s = now_s
        self._watched_s = now_s
        limit_s = self._first_block_s if self.first_sample_s is None else self.QUIET_S
        quiet_s = now_s - max(self.heard_until_s, self._counted_from_s)
        self._given_up = self._given_up or self._finished or quiet_s > limit_s
        return self._given_up

    def lost_unseen(self) -> int:
        """Samples that the audio server lost without a flag since the last call."""
        arrived = self._arrived
        if self.true_rate_hz is None and self.first_sample_s is not None:
            found_hz = self._rate.observe(*arrived)
            if found_hz is not None:  # from now on, a loss is one at this rate
                self.true_rate_hz = round(found_hz)
                self._loss = ClockLoss(self.true_rate_hz)
                self._doubtful_loss = 0
        self._doubtful_loss += self._loss.observe(*arrived)
        if self._rate.is_doubtful and self.true_rate_hz is None and not self._given_up:
            return 0
        lost, self._doubtful_loss = self._doubtful_loss, 0
        return lost

    def arrived_s(self, sample: int) -> float:
        """When a sample came, by its number since the stream was opened, on the clock.

        Reckoned back from the latest block: sound is recorded evenly, and delivered unevenly.
        """
        at_s, count = self._arrived
        return at_s - (count - sample) / self.rate_hz

    def close(self) -> None:
        """Ends the stream. Never `stop`, which waits for a stalled device for ever."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def _on_block(self, block: Samples, frames: int, time_info: object, status: Any) -> None:
        if self._given_up:
            return
        now_s = self._clock()
        if self.first_sample_s is None:
            self.first_sample_s = now_s - frames / self.rate_hz
        self.ring.write(block)
        self._arrived = (now_s, self._arrived[1] + frames)
        if status.input_overflow:
            self.overflow_flags += 1

    def _on_finished(self) -> None:
        self._finished = True


def choose_rate(portaudio: Any, device: Device, channels: int) -> int:
    """16 kHz where the device takes it, else the device's own rate."""
    try:
        portaudio.check_input_settings(
            device=device.index, channels=channels, dtype="float32", samplerate=SAMPLE_RATE_HZ
        )
    except (portaudio.PortAudioError, ValueError):
        return device.default_rate_hz
    return SAMPLE_RATE_HZ


def choose_channels(device: Device, channel: int | None) -> int:
    """How many channels to open: all, or up to the one that is asked for.

    A device of more than 8 is one of ALSA's pseudo-devices, which copy a real one to as many
    channels as they are asked for: one will do.
    """
    if device.channels > MOST_CHANNELS:
        return min(channel or 1, device.channels)
    return device.channels
