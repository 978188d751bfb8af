"""A few seconds of sound in figures: level, noise, offset, hum, and the state of each channel."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr  # type: ignore[import-untyped, unused-ignore]

from streamer.audio.channels import ChannelMixer
from streamer.audio.conditioning.conditioner import Conditioner
from streamer.audio.quality import level_dbfs, power_dbfs
from streamer.types import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples

QUIET_PART: Final = 0.1
LOUD_PART: Final = 0.95


@dataclass(frozen=True, slots=True)
class Measured:
    """Levels in dBFS. noise_dbfs, loud_dbfs: of the quietest and loudest frames, without offset
    and hum; snr_db: their distance, large only where somebody spoke. hum_hz: None where none is.
    channels: what is wrong with each that is left out, by its number.
    """

    level_dbfs: float
    noise_dbfs: float
    loud_dbfs: float
    offset: float
    hum_hz: float | None
    hum_dbfs: float
    is_still: bool
    channels: dict[int, str]

    @property
    def snr_db(self) -> float:
        return self.loud_dbfs - self.noise_dbfs


def measure(samples: Samples, rate_hz: int) -> Measured:
    """samples: float32 [n, channels], n > 0; a second or more tells of hum."""
    mixer = ChannelMixer(rate_hz, samples.shape[1])
    mono = np.concatenate((mixer.push(samples), mixer.finish()))[:, 0]
    if rate_hz != SAMPLE_RATE_HZ:
        mono = np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ), np.float32)
    conditioner = Conditioner()
    clean = np.concatenate((conditioner.push(mono), conditioner.finish()))
    found = conditioner.disturbances
    frames = clean[: len(clean) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.sort(np.mean(np.square(frames, dtype=np.float64), axis=1))
    if not len(powers):
        powers = np.array([float(np.mean(np.square(clean, dtype=np.float64)))])
    last = len(powers) - 1
    return Measured(
        level_dbfs=level_dbfs(mono),
        noise_dbfs=power_dbfs(float(powers[int(QUIET_PART * last)])),
        loud_dbfs=power_dbfs(float(powers[int(LOUD_PART * last)])),
        offset=found.offset,
        hum_hz=found.hum_hz,
        hum_dbfs=power_dbfs(found.hum_power),
        is_still=bool((samples == samples[0]).all()),
        channels=mixer.faults,
    )
