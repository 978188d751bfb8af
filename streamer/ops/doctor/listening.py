"""Two seconds of each microphone: does it deliver, how fast, and what does it sound like?"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from streamer.audio.microphone.background import BackgroundCall
from streamer.audio.microphone.capture import (
    MOST_CHANNELS,
    Capture,
    choose_channels,
    choose_rate,
)
from streamer.audio.microphone.devices import Device
from streamer.audio.sound_measure import Measured, measure
from streamer.errors import StreamerError
from streamer.ops.doctor.finding import Finding, ok, warn
from streamer.types import Samples

LISTEN_S: Final = 2.0
FIRST_BLOCK_S: Final = 4.0
POLL_S: Final = 0.05
PATIENCE_S: Final = FIRST_BLOCK_S + LISTEN_S + 4.0
MOST_DEVICES: Final = 4
# Of the rate that a device says it has, against the clock; sound cards stay within 0.01 %.
RATE_ERROR: Final = 0.02
LOW_DBFS: Final = -75.0
LOUD_DBFS: Final = -3.0
NOISY_DBFS: Final = -35.0
Heard = tuple[Samples, int, float]


def listen(
    portaudio: Any,
    devices: Sequence[Device],
    chosen: Device,
    channel: int | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """The chosen device first; others, and not ALSA's pseudo-devices, as far as there are few."""
    real = [d for d in devices if d is not chosen and d.channels <= MOST_CHANNELS]
    for device in [chosen, *real[: MOST_DEVICES - 1]]:
        check = "sound" if device is chosen else f"sound of {device.name}"
        call = BackgroundCall(partial(_record, portaudio, device, channel, clock, sleep))
        if not call.wait(PATIENCE_S):
            yield warn(check, f"'{device.name}' does not answer", "restart the audio system")
            return
        try:
            samples, rate_hz, took_s = call.result()
        except (StreamerError, portaudio.PortAudioError) as error:
            yield warn(check, str(error))
            continue
        if not len(samples):
            yield warn(check, f"'{device.name}' delivers nothing", "choose another: --device")
            continue
        yield describe(check, measure(samples, rate_hz), rate_hz, len(samples) / took_s)


def describe(check: str, found: Measured, rate_hz: int, measured_hz: float) -> Finding:
    """measured_hz: samples that came, a second of the clock."""
    if found.is_still:
        what = "digital silence" if found.level_dbfs <= -119.0 else "one value that never changes"
        return warn(
            check, what, "unmute it, or allow this program the microphone in the system's settings"
        )
    words = [
        f"level {found.level_dbfs:.0f} dBFS (noise {found.noise_dbfs:.0f}, "
        f"loudest {found.loud_dbfs:.0f}, SNR {found.snr_db:.0f} dB)",
        f"offset {f'{found.offset:+.3f}' if found.offset else 'none'}",
        f"hum {f'{found.hum_hz:.0f} Hz at {found.hum_dbfs:.0f} dBFS' if found.hum_hz else 'none'}",
        f"{measured_hz:,.0f} samples a second",
    ]
    words += [f"channel {number} {fault}" for number, fault in sorted(found.channels.items())]
    said = ", ".join(words)
    if abs(measured_hz / rate_hz - 1.0) > RATE_ERROR:
        return warn(check, f"{said}: it says {rate_hz:,}", "choose another rate in its settings")
    if found.loud_dbfs < LOW_DBFS:
        return warn(check, said, "turn it up: it records nothing but its own noise")
    if found.loud_dbfs > LOUD_DBFS:
        return warn(check, said, "turn it down: it is close to clipping")
    if found.noise_dbfs > NOISY_DBFS:
        return warn(check, said, "the noise is as loud as speech: turn it down, or move closer")
    if found.hum_hz or found.offset or found.channels:
        return warn(
            check, said, "Streamer corrects it while listening; see the manual of the device"
        )
    return ok(check, said)


def _record(
    portaudio: Any,
    device: Device,
    channel: int | None,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Heard:
    """Two seconds of it, its rate, and how long they took by the clock."""
    channels = choose_channels(device, channel)
    rate_hz = choose_rate(portaudio, device, channels)
    capture = Capture(portaudio, device, rate_hz, channels, clock, FIRST_BLOCK_S)
    parts: list[Samples] = []
    count = 0
    first_s = last_s = clock()
    try:
        while count < LISTEN_S * rate_hz and not capture.is_gone():
            samples, _ = capture.ring.read(rate_hz)
            if len(samples):
                parts.append(samples)
                count += len(samples)
                last_s = capture.heard_until_s
            else:
                sleep(POLL_S)
        if capture.first_sample_s is not None:
            first_s = capture.first_sample_s
    finally:
        capture.close()
    heard = np.concatenate(parts) if parts else np.zeros((0, channels), np.float32)
    if channel is not None and channel <= channels:
        heard = heard[:, channel - 1 : channel]
    return heard, rate_hz, max(last_s - first_s, POLL_S)
