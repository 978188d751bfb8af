import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.microphone.clock_loss import ClockLoss

RATE_HZ = 16_000
BLOCK = 320


def observed(
    seconds: float,
    *,
    lose: dict[float, float] | None = None,
    freeze: tuple[float, float] = (0.0, 0.0),
    drift: float = 0.0,
    jitter_s: float = 0.0,
    seed: int = 0,
    rate_hz: int = RATE_HZ,
) -> list[tuple[float, int]]:
    """When each loss was found and how large it was, in a simulated recording.

    lose: {at second: seconds lost}. freeze: (from, to), what is held back comes in a burst.
    """
    rng = random.Random(seed)
    loss = ClockLoss(rate_hz)
    losses = dict(lose or {})
    found = []
    arrived = 0
    block_s = BLOCK / rate_hz
    for number in range(1, round(seconds / block_s)):
        now_s = number * block_s * (1 + drift)
        for at_s in [at_s for at_s in losses if now_s >= at_s]:
            arrived -= round(losses.pop(at_s) * rate_hz)
        arrived += BLOCK
        if freeze[0] < now_s < freeze[1]:
            continue
        late_s = abs(rng.gauss(0, jitter_s))
        lost = loss.observe(1000 + now_s + late_s, max(arrived, 0))
        if lost:
            found.append((now_s, lost))
    return found


def test_steady_recording_loses_nothing() -> None:
    assert observed(60) == []


@pytest.mark.parametrize("drift", [100e-6, -100e-6, 300e-6, -300e-6])
def test_drifting_clocks_are_no_loss(drift: float) -> None:
    assert observed(3600, drift=drift, jitter_s=0.01) == []


def test_late_burst_is_no_loss() -> None:
    assert observed(30, freeze=(10.0, 14.0)) == []


@settings(max_examples=60, deadline=None)
@given(
    lost_s=st.floats(0.2, 5.0),
    at_s=st.floats(4.5, 12.0),
    drift=st.floats(-1e-4, 1e-4),
    jitter_s=st.floats(0, 0.05),
    seed=st.integers(0, 1000),
    rate_hz=st.sampled_from([8_000, 16_000, 44_100, 48_000]),
)
def test_loss_is_found_within_seconds_and_measured(
    lost_s: float, at_s: float, drift: float, jitter_s: float, seed: int, rate_hz: int
) -> None:
    found = observed(
        at_s + 12,
        lose={at_s: lost_s},
        drift=drift,
        jitter_s=jitter_s,
        seed=seed,
        rate_hz=rate_hz,
    )
    assert sum(lost for _, lost in found) == pytest.approx(lost_s * rate_hz, abs=0.03 * rate_hz)
    assert found[0][0] - at_s < 3 * ClockLoss.WINDOW_S + 0.5


@settings(max_examples=40, deadline=None)
@given(jitter_s=st.floats(0, 0.09), seed=st.integers(0, 1000), drift=st.floats(-2e-4, 2e-4))
def test_jitter_alone_is_no_loss(jitter_s: float, seed: int, drift: float) -> None:
    assert observed(60, jitter_s=jitter_s, seed=seed, drift=drift) == []


def test_many_small_losses_add_up() -> None:
    found = observed(60, lose={10 + number: 0.05 for number in range(20)})
    assert sum(lost for _, lost in found) == pytest.approx(1.0 * RATE_HZ, rel=0.15)
