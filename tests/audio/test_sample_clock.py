"""The line from positions in a live source to the computer's clock."""

import numpy as np
import pytest

from streamer.audio.sample_clock import SampleClock
from streamer.types import Chunk, Gap

RATE_HZ = 16_000
BLOCK = 400
START_S = 5_000.0


def heard(
    seconds: float,
    drift: float = 0.0,
    jitter_s: float = 0.0,
    clock: SampleClock | None = None,
    start_s: float = START_S,
) -> SampleClock:
    """A sound card that is `drift` slow, whose blocks come late by an exponential delay."""
    rng = np.random.default_rng(5)
    clock = clock or SampleClock()
    for first in range(0, round(seconds * RATE_HZ), BLOCK):
        arrived_s = start_s + first / RATE_HZ * (1 + drift) + rng.exponential(jitter_s or 1e-9)
        clock.hear(Chunk(np.zeros((BLOCK, 1), np.float32), RATE_HZ, "mic", arrived_s))
    return clock


@pytest.mark.parametrize("drift", [0.0, 80e-6, -80e-6])
@pytest.mark.parametrize("seconds", [3, 40, 300])
def test_a_position_is_found_within_the_stated_error(seconds, drift):
    fit = heard(seconds, drift, jitter_s=0.01).fit()
    assert fit is not None
    truth_s = START_S + seconds * (1 + drift)
    assert abs(fit.monotonic_s(seconds) - truth_s) < 0.02
    assert abs(fit.monotonic_s(seconds) - truth_s) <= fit.error_s + 0.002
    assert fit.error_s < 0.02
    assert fit.source_s(fit.monotonic_s(2.5)) == pytest.approx(2.5)


def test_the_slope_is_learned_once_there_is_enough():
    fit = heard(300, 80e-6, jitter_s=0.01).fit()
    assert fit is not None
    assert fit.rate == pytest.approx(1 + 80e-6, abs=15e-6)


def test_nothing_is_said_of_a_recording_or_of_the_first_moments():
    clock = SampleClock()
    clock.hear(Chunk(np.zeros((RATE_HZ, 1), np.float32), RATE_HZ, "a.wav"))
    assert (clock.fit(), clock.position_s) == (None, 1.0)
    assert heard(0.5).fit() is None


def test_what_is_lost_begins_a_new_line_and_what_is_masked_does_not():
    clock = heard(10)
    clock.hear(Gap(RATE_HZ, "playback"))
    assert clock.fit() is not None
    assert clock.position_s == pytest.approx(11.0)
    clock.hear(Gap(RATE_HZ, "device_lost"))
    assert clock.fit() is None
    assert clock.position_s == pytest.approx(12.0)
    heard(2, clock=clock, start_s=START_S + 50)  # the clock had stood still
    fit = clock.fit()
    assert fit is not None
    assert fit.monotonic_s(12.0) == pytest.approx(START_S + 50, abs=1e-3)


def test_another_source_begins_at_zero():
    clock = heard(10)
    clock.hear(Chunk(np.zeros((BLOCK, 1), np.float32), RATE_HZ, "other", 1.0))
    assert clock.fit() is None
    assert clock.position_s == pytest.approx(BLOCK / RATE_HZ)
