import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.resampling import Resampler
from streamer.errors import UnreadableAudio, UsageError
from streamer.types import Samples

RATES_HZ = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]


def pushed(resampler: Resampler, samples: Samples, cuts: list[int]) -> Samples:
    parts = np.split(samples, sorted({min(cut, len(samples)) for cut in cuts}))
    return np.concatenate([*(resampler.push(part) for part in parts), resampler.finish()])


def noise(count: int, channels: int = 1) -> Samples:
    return np.random.default_rng(count).uniform(-0.5, 0.5, (count, channels)).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ) | st.integers(8_000, 192_000),
    count=st.integers(0, 20_000),
    cuts=st.lists(st.integers(0, 20_000), max_size=8),
)
def test_length_is_exact_and_bits_do_not_depend_on_the_chunks(
    rate_hz: int, count: int, cuts: list[int]
) -> None:
    resampler = Resampler(rate_hz, 1)
    samples = noise(count)
    out = pushed(resampler, samples, cuts)
    assert out.dtype == np.float32
    assert len(out) == resampler.expected_out(count)
    assert np.array_equal(out, pushed(Resampler(rate_hz, 1), samples, []))


@given(rate_hz=st.integers(1_000, 768_000), at=st.integers(0, 10**12))
def test_positions_map_to_the_nearest_source_sample(rate_hz: int, at: int) -> None:
    resampler = Resampler(16_000, 1)
    assert resampler.to_source_samples(at) == at
    resampler = Resampler(rate_hz, 1)
    there = resampler.to_source_samples(at)
    assert abs(2 * (there * 16_000 - at * rate_hz)) <= 16_000
    assert there <= resampler.to_source_samples(at + 1)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_keeps_its_pitch_level_and_place(rate_hz: int) -> None:
    seconds = np.arange(rate_hz) / rate_hz
    tone = (0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)[:, None]
    out = pushed(Resampler(rate_hz, 1), tone, [1000, 3000])
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(out - wanted)[400:-400].max() < 1e-4


def test_16_khz_mono_passes_untouched_and_at_once() -> None:
    samples = noise(777)
    assert np.array_equal(Resampler(16_000, 1).push(samples), samples[:, 0])


def test_channels_are_mixed_or_one_is_taken() -> None:
    samples = noise(500, channels=3)
    mixed = Resampler(16_000, 3).push(samples)
    assert np.allclose(mixed, samples.mean(axis=1), atol=1e-7)
    for channel in (1, 2, 3):
        taken = Resampler(16_000, 3, channel).push(samples)
        assert np.array_equal(taken, samples[:, channel - 1])


def test_the_source_is_not_written_to() -> None:
    samples = noise(500, channels=2)
    before = samples.copy()
    Resampler(16_000, 2).push(samples)
    assert np.array_equal(samples, before)


@pytest.mark.parametrize(("channel", "channels"), [(0, 2), (3, 2), (-1, 1), (2, 1)])
def test_a_channel_that_is_not_there_is_refused_with_the_count(channel: int, channels: int) -> None:
    with pytest.raises(UsageError, match=rf"channel {channel} .*channels? 1( to {channels})?;"):
        Resampler(16_000, channels, channel)


@pytest.mark.parametrize("rate_hz", [0, 999, 768_001])
def test_a_rate_that_is_none_is_refused(rate_hz: int) -> None:
    with pytest.raises(UnreadableAudio, match=f"{rate_hz} Hz"):
        Resampler(rate_hz, 1)
