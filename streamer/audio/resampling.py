"""From a source's rate and channels to 16 kHz mono, in one stateful pass."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UnreadableAudio, UsageError
from streamer.types import SAMPLE_RATE_HZ, Samples

LOWEST_RATE_HZ: Final = 1_000
HIGHEST_RATE_HZ: Final = 768_000


class Resampler:
    """Mixes or picks a channel, then resamples one timeline to 16 kHz mono.

    Push everything from the first chunk of a timeline to its last, then `finish`: after n source
    samples exactly `expected_out(n)` samples have come out, and their bits do not depend on how
    the timeline was cut into chunks. At 16 kHz samples pass through untouched, at once; at other
    rates soxr holds back some until `finish` (40 ms at 44.1 and 48 kHz, at most 120 ms at 8 kHz).

    rate_hz: of the source, 1,000 to 768,000. channels: of the source, at least 1.
    channel: counted from 1; None mixes all of them (their mean).
    Raises UsageError where there is no such channel, UnreadableAudio for a rate out of range.

    >>> resampler = Resampler(rate_hz=48_000, channels=2)
    >>> out = [resampler.push(np.zeros((4_800, 2), np.float32)), resampler.finish()]
    >>> sum(map(len, out)), resampler.expected_out(4_800)
    (1600, 1600)
    """

    def __init__(self, rate_hz: int, channels: int, channel: int | None = None) -> None:
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise UnreadableAudio(
                f"a sample rate of {rate_hz} Hz is not supported; convert the audio to 16000 Hz"
            )
        check_channel(channel, channels)
        self._rate_hz = rate_hz
        self._channels = channels
        self._channel = channel
        self._stream = None
        if rate_hz != SAMPLE_RATE_HZ:
            import soxr  # type: ignore[import-untyped, unused-ignore]

            self._stream = soxr.ResampleStream(
                rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ"
            )

    def push(self, samples: Samples) -> Samples:
        """samples: float32 [n, channels]. Returns float32 [m], m >= 0."""
        mono = self._mono(samples)
        if self._stream is None or not len(mono):
            return mono
        return _as_samples(self._stream.resample_chunk(mono))

    def finish(self) -> Samples:
        """The rest of the timeline, float32 [m]. Nothing may be pushed after it."""
        rest = np.zeros(0, dtype=np.float32)
        if self._stream is None:
            return rest
        return _as_samples(self._stream.resample_chunk(rest, last=True))

    def expected_out(self, source_samples: int) -> int:
        """How many 16 kHz samples n source samples make: n * 16000 / rate, halves up."""
        return _scale(source_samples, SAMPLE_RATE_HZ, self._rate_hz)

    def to_source_samples(self, samples_16k: int) -> int:
        """The source position of a 16 kHz position: k * rate / 16000, halves up. Never decreases.

        The end of a timeline may map to a position up to rate / 32000 (plus one half) away from
        its last sample, so count the last stretch up to the samples that were pushed.
        """
        return _scale(samples_16k, self._rate_hz, SAMPLE_RATE_HZ)

    def _mono(self, samples: Samples) -> Samples:
        if self._channel is not None:
            return np.ascontiguousarray(samples[:, self._channel - 1])
        if self._channels == 1:
            return np.ascontiguousarray(samples[:, 0])
        total = samples[:, 0].copy()
        for other in range(1, self._channels):
            total += samples[:, other]
        total /= np.float32(self._channels)
        return total


def check_channel(channel: int | None, channels: int) -> None:
    """Raises UsageError where `channel` (from 1) is not among `channels`."""
    if channel is not None and not 1 <= channel <= channels:
        there = "only channel 1" if channels == 1 else f"channels 1 to {channels}"
        raise UsageError(
            f"channel {channel} was asked for and the source has {there}; "
            "choose one of these, or none to mix them"
        )


def _scale(count: int, numerator: int, denominator: int) -> int:
    return (2 * count * numerator + denominator) // (2 * denominator)


def _as_samples(samples: NDArray[np.generic]) -> Samples:
    return samples.astype(np.float32, copy=False)
