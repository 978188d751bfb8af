"""Flat tops at any ceiling are found in the source's samples; rounded tops are none."""

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.clipping import ClippingMeter
from streamer.testing import Spoken
from streamer.types import SAMPLE_RATE_HZ, Samples

Session = tuple[Samples, list[Spoken]]


def part(sound: Samples, rate_hz: int, channels: set[int] | None = None) -> float:
    sound = np.asarray(np.round(sound * 32_767) / 32_768, np.float32).reshape(len(sound), -1)
    meter = ClippingMeter(rate_hz, sound.shape[1])
    meter.push(sound)
    return meter.part(0, len(sound), channels or set(range(sound.shape[1])))


def at_rate(spoken_session: Session, rate_hz: int) -> Samples:
    voice = spoken_session[0][: 6 * SAMPLE_RATE_HZ]
    loud = soxr.resample(voice, SAMPLE_RATE_HZ, rate_hz)
    return np.asarray(loud * (0.9 / np.abs(loud).max()), np.float32)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_a_ceiling_below_full_scale(spoken_session: Session, rate_hz: int) -> None:
    voice = at_rate(spoken_session, rate_hz)
    assert part(voice, rate_hz) == 0.0
    for ceiling in (0.5, 0.1):
        clipped = np.clip(voice * 4.0 * ceiling, -ceiling, ceiling)
        assert 0.005 < part(clipped, rate_hz) < 0.2
        shifted = clipped + 0.05  # an offset after the amplifier that clipped
        assert part(shifted, rate_hz) > 0.002
    assert part(np.minimum(voice * 2.0, 0.5), rate_hz) > 0.002  # of one sign alone


def test_silence_on_an_offset_is_no_ceiling(spoken_session: Session) -> None:
    voice = at_rate(spoken_session, SAMPLE_RATE_HZ)
    eight_bits = np.round((voice * 0.5 - 0.3) * 128) / 128
    assert part(eight_bits, SAMPLE_RATE_HZ) == 0.0


def test_a_click_above_the_ceiling_hides_it_not(spoken_session: Session) -> None:
    clipped = np.clip(at_rate(spoken_session, SAMPLE_RATE_HZ) * 2, -0.5, 0.5)
    clipped[20_000] = 0.95
    assert part(clipped, SAMPLE_RATE_HZ) > 0.005


def test_only_a_channel_that_is_heard_counts(spoken_session: Session) -> None:
    voice = at_rate(spoken_session, SAMPLE_RATE_HZ)
    both = np.stack([voice, np.clip(voice * 4, -0.5, 0.5)], axis=1)
    assert part(both, SAMPLE_RATE_HZ, {0}) == 0.0
    assert part(both, SAMPLE_RATE_HZ, {0, 1}) == part(both[:, 1:], SAMPLE_RATE_HZ) > 0.0


@pytest.mark.parametrize("hz", [20.0, 50.0, 100.0, 440.0])
@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_rounded_tops_are_not_flat(hz: float, rate_hz: int) -> None:
    t = np.arange(2 * rate_hz) / rate_hz
    rng = np.random.default_rng(1)
    tone = 0.5 * np.sin(2 * np.pi * hz * t) + 0.002 * rng.standard_normal(len(t))
    assert part(tone, rate_hz) == 0.0


def test_the_coarse_steps_of_telephones_are_not_a_ceiling(spoken_session: Session) -> None:
    voice = at_rate(spoken_session, 8_000)
    steps = np.round(np.sign(voice) * np.log1p(255 * np.abs(voice)) / np.log1p(255) * 127) / 127
    assert part(np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(255)) / 255, 8_000) == 0.0


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 48_000), max_size=8))
def test_it_does_not_depend_on_the_chunks(cuts: list[int]) -> None:
    rng = np.random.default_rng(2)
    sound = np.clip(rng.standard_normal((48_000, 2)).cumsum(axis=0) / 50, -0.4, 0.4)
    sound = sound.astype(np.float32)
    whole, cut = ClippingMeter(16_000, 2), ClippingMeter(16_000, 2)
    whole.push(sound)
    for piece in np.split(sound, sorted(cuts)):
        cut.push(piece)
    for span in ((0, 48_000), (1_000, 9_000), (40_000, 40_010)):
        assert whole.part(*span, {0, 1}) == cut.part(*span, {0, 1})
    assert whole.part(0, 48_000, {0, 1}) > 0.0
