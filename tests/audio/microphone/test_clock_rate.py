"""A rate that is not the one that a device tells, and everything that only looks like one."""

import random

import pytest

from streamer.audio.microphone.clock_rate import ClockRate

BLOCK_S = 0.02


def told(
    said_hz: int,
    true_hz: float,
    *,
    seconds: float = 30.0,
    jitter_s: float = 0.0,
    losses_per_s: float = 0.0,
    asleep: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float] | None:
    """(after how many seconds, which rate); None where nothing is told."""
    rng = random.Random(3)
    rate = ClockRate(said_hz)
    arrived, missed_s = 0.0, 0.0
    for number in range(1, round(seconds / BLOCK_S)):
        now_s = number * BLOCK_S
        if asleep[0] < now_s < asleep[1]:
            missed_s += BLOCK_S
            continue
        if rng.random() >= losses_per_s * BLOCK_S:
            arrived += true_hz * BLOCK_S
        found = rate.observe(1_000.0 + now_s + abs(rng.gauss(0, jitter_s)), round(arrived))
        if found is not None:
            return now_s, found
    return None


@pytest.mark.parametrize(
    ("said_hz", "true_hz"), [(48_000, 44_100), (44_100, 48_000), (16_000, 8_000), (8_000, 16_000)]
)
@pytest.mark.parametrize("jitter_s", [0.0, 0.01])
def test_a_wrong_rate_is_found_within_twelve_seconds(said_hz, true_hz, jitter_s) -> None:
    found = told(said_hz, true_hz, jitter_s=jitter_s)
    assert found is not None
    after_s, rate_hz = found
    assert after_s <= 12.0
    assert rate_hz == pytest.approx(true_hz, rel=0.01)


@pytest.mark.parametrize(
    "spoil",
    [
        {},
        {"jitter_s": 0.05},
        {"losses_per_s": 2.0},
        {"asleep": (7.0, 21.0)},
    ],
    ids=["nothing", "late blocks", "a busy machine", "a machine that slept"],
)
def test_what_only_looks_like_one(spoil) -> None:
    assert told(48_000, 48_000 * 1.0003, seconds=120, **spoil) is None
