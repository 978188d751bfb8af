import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamer.audio.quality import SILENCE_DBFS, NoiseFloor, assess, is_clipped, level_dbfs

RATE_HZ = 16_000


def sine(amplitude: float, seconds: float = 1.0) -> np.ndarray:
    t = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 200 * t)).astype(np.float32)


def test_a_full_scale_sine_lies_at_minus_three_decibels() -> None:
    assert level_dbfs(sine(1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.zeros(100, np.float32)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.float32)) == SILENCE_DBFS


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0, 40.0])
def test_snr_is_that_of_the_power_beyond_the_noise(snr_db: float) -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(RATE_HZ) * 0.3 * 10 ** (-snr_db / 20) / np.sqrt(2)
    audio = sine(0.3) + noise.astype(np.float32)
    quality = assess(audio, level_dbfs(noise.astype(np.float32)))
    assert quality.snr_db == pytest.approx(snr_db, abs=0.3)
    assert not quality.clipped


def test_without_a_heard_pause_the_quietest_frames_are_the_noise() -> None:
    audio = np.concatenate([sine(0.003, 0.5), sine(0.3, 1.5)])
    assert assess(audio, None).snr_db == pytest.approx(38.8, abs=0.5)


def test_clipping_is_three_in_a_row_or_one_beyond() -> None:
    audio = sine(0.5)
    assert not is_clipped(audio)
    audio[[10, 11, 13, 14]] = 1.0
    assert not is_clipped(audio)
    audio[12] = -1.0
    assert is_clipped(audio)
    assert is_clipped(np.array([0.0, 1.01], np.float32))
    assert not is_clipped(np.ones(2, np.float32))
    assert is_clipped(np.clip(sine(1.5), -1, 1))


@given(
    arrays(np.float32, st.integers(0, 1200), elements=st.floats(-8, 8, width=32)),
    st.none() | st.floats(-120, 10),
)
def test_quality_is_always_finite_and_within_bounds(
    audio: np.ndarray, noise_dbfs: float | None
) -> None:
    quality = assess(audio, noise_dbfs)
    assert SILENCE_DBFS <= quality.level_dbfs < 20
    assert -20 <= quality.snr_db <= 80


def test_the_noise_floor_follows_the_pauses_and_shrugs_off_a_click() -> None:
    floor = NoiseFloor()
    assert floor.level_dbfs is None
    for _ in range(50):
        floor.update(1e-5)
    assert floor.level_dbfs == pytest.approx(-50)
    floor.update(0.1)
    assert floor.level_dbfs == pytest.approx(-50, abs=1.5)
    for _ in range(200):
        floor.update(1e-4)
    assert floor.level_dbfs == pytest.approx(-40, abs=0.1)
    floor.reset()
    assert floor.level_dbfs is None
