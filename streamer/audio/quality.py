"""How well an utterance was recorded: its level, its distance to the noise, clipping.

Levels are RMS in dB relative to full scale (a constant 1.0 is 0 dBFS, a full-scale sine
-3 dBFS), never below `SILENCE_DBFS`, so that digital silence has a finite level.
"""

import math
from dataclasses import replace

import numpy as np

from streamer.types import (
    FRAME_SAMPLES,
    LEAST_CLEAR_TRUST,
    SAMPLE_RATE_HZ,
    Quality,
    Samples,
)

SILENCE_DBFS = -120.0
LEAST_SNR_DB = -20.0
MOST_SNR_DB = 80.0
FULL_SCALE = 0.999
CLIPPED_RUN_SAMPLES = 3
NOISE_MEMORY_FRAMES = 32
NARROW_SAMPLES = 8_192
LEAST_TRUST = 0.3


def level_dbfs(audio: Samples) -> float:
    """RMS level of float32 [n] in dBFS; `SILENCE_DBFS` for n = 0."""
    return power_dbfs(mean_power(audio))


def mean_power(audio: Samples) -> float:
    """Mean square of float32 [n], 0 for n = 0."""
    if audio.size == 0:
        return 0.0
    wide = audio.astype(np.float64)
    return float(wide @ wide) / audio.size


def power_dbfs(power: float) -> float:
    """10 log10(power), not below `SILENCE_DBFS`."""
    return max(SILENCE_DBFS, 10.0 * math.log10(power)) if power > 0.0 else SILENCE_DBFS


def is_clipped(audio: Samples) -> bool:
    """Three or more samples in a row at full scale, or one beyond it."""
    magnitude = np.abs(audio)
    if magnitude.size == 0 or magnitude.max() < FULL_SCALE:
        return False
    if magnitude.max() > 1.0:
        return True
    full = magnitude >= FULL_SCALE
    run = full[: 1 - CLIPPED_RUN_SAMPLES].copy()
    for shift in range(1, CLIPPED_RUN_SAMPLES):
        run &= full[shift : full.size - CLIPPED_RUN_SAMPLES + 1 + shift]
    return bool(run.any())


def clipped_part(audio: Samples) -> float:
    """The part of the samples, in [0, 1], that lie at full scale or beyond."""
    return float(np.mean(np.abs(audio) >= FULL_SCALE)) if audio.size else 0.0


def with_clipping(quality: Quality, part: float) -> Quality:
    """The same, where that part of the source's samples was found to be clipped."""
    if part == 0.0:
        return quality
    return replace(quality, clipped=True, trust=min(quality.trust, trust(quality.snr_db, part)))


def why_unclear(quality: Quality) -> str | None:
    """What makes predictions of an utterance less certain, for people; None where it is clear.

    >>> why_unclear(Quality(level_dbfs=-30.0, snr_db=2.4, clipped=False, trust=0.42))
    'only +2 dB above the noise'
    """
    if quality.is_clear:
        return None
    noisy = f"only {quality.snr_db:+.0f} dB above the noise"
    if not quality.clipped:
        return noisy
    return "clipped" if trust(quality.snr_db, 0.0) >= LEAST_CLEAR_TRUST else f"clipped, {noisy}"


def is_narrow(audio: Samples) -> bool:
    """Nothing above 4.2 kHz in float32 [n] at 16 kHz, where voices are: 50 dB less than below."""
    middle = max(0, (audio.size - NARROW_SAMPLES) // 2)
    part = audio[middle : middle + NARROW_SAMPLES].astype(np.float64)
    if part.size < FRAME_SAMPLES:
        return False
    power = np.abs(np.fft.rfft(part * np.hanning(part.size))) ** 2
    hz = np.fft.rfftfreq(part.size, 1.0 / SAMPLE_RATE_HZ)
    low = power[(hz > 500.0) & (hz < 3_400.0)].mean()
    high = power[(hz > 4_200.0) & (hz < 7_500.0)].mean()
    return bool(low > 0.0 and high < 1e-5 * low)


def trust(snr_db: float, clipped: float) -> float:
    """How much of a prediction's certainty noise and clipping leave, in [0.3, 1].

    All of it at an SNR of 14 dB, the least of clean corpora; 0.6 at 6 dB; half of it where one
    sample in a hundred is clipped.
    """
    by_noise = min(max((snr_db + 6.0) / 20.0, LEAST_TRUST), 1.0)
    by_clipping = 1.0 / (1.0 + 100.0 * clipped)
    return max(LEAST_TRUST, by_noise * by_clipping)


def assess(audio: Samples, noise_dbfs: float | None) -> Quality:
    """The quality of one utterance, float32 [n] at 16 kHz; finite whatever it holds.

    noise_dbfs: the level between utterances; None where none was heard, then the quietest tenth
    of the utterance's own frames stands in for it. The SNR is that of the power beyond the noise,
    10 log10((P - N) / N), within [-20, 80] dB.
    """
    power = mean_power(audio)
    noise = 10.0 ** ((_quietest_dbfs(audio) if noise_dbfs is None else noise_dbfs) / 10.0)
    snr_db = power_dbfs(max(power - noise, 0.0)) - power_dbfs(noise)
    snr_db = min(max(snr_db, LEAST_SNR_DB), MOST_SNR_DB)
    clipped = is_clipped(audio)
    return Quality(
        level_dbfs=power_dbfs(power),
        snr_db=snr_db,
        clipped=clipped,
        trust=trust(snr_db, clipped_part(audio) if clipped else 0.0),
    )


def _quietest_dbfs(audio: Samples) -> float:
    whole = audio.size // FRAME_SAMPLES
    if whole == 0:
        return level_dbfs(audio)
    frames = audio[: whole * FRAME_SAMPLES].astype(np.float64).reshape(whole, FRAME_SAMPLES)
    return power_dbfs(float(np.quantile(np.mean(frames**2, axis=1), 0.1)))


class NoiseFloor:
    """The running level of the silent frames, in dBFS: their mean over about the last second.

    The mean is one of decibels, so that a click in a pause moves it little.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget: a new room, a new device."""
        self._frames = 0
        self._level_dbfs = SILENCE_DBFS

    @property
    def level_dbfs(self) -> float | None:
        """None until a silent frame was heard."""
        return self._level_dbfs if self._frames else None

    def update(self, silent_power: float) -> None:
        """silent_power: the mean square of one silent frame."""
        self._frames = min(self._frames + 1, NOISE_MEMORY_FRAMES)
        self._level_dbfs += (power_dbfs(silent_power) - self._level_dbfs) / self._frames
