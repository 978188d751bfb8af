"""Offset, hum and rumble go; sound without them passes bit by bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from streamer.audio.conditioning.conditioner import Conditioner
from streamer.testing import Spoken
from streamer.types import SAMPLE_RATE_HZ, Samples

BUZZ = (1.0, 0.3, 0.2, 0.1)


def condition(sound: Samples, cuts: tuple[int, ...] | list[int] = ()) -> Samples:
    conditioner = Conditioner()
    parts = [conditioner.push(part) for part in np.split(sound, sorted(cuts))]
    return np.concatenate([*parts, conditioner.finish()])


def hum(mains_hz: float, samples: int, harmonics: tuple[float, ...] = BUZZ) -> Samples:
    t = np.arange(samples) / SAMPLE_RATE_HZ
    lines = [h * np.sin(2 * np.pi * mains_hz * (i + 1) * t + i) for i, h in enumerate(harmonics)]
    return np.sum(lines, axis=0).astype(np.float32)


def decibels(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


@pytest.fixture(scope="session")
def speech(spoken_session: tuple[Samples, list[Spoken]]) -> Samples:
    return spoken_session[0]


def test_clean_speech_is_not_touched(speech: Samples) -> None:
    np.testing.assert_array_equal(condition(speech), speech)


def test_a_recorded_session_is_not_touched(shared_wav) -> None:
    import soundfile
    import soxr

    sound, rate_hz = soundfile.read(shared_wav / "session_48k.flac", dtype="float32")
    sound = soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    np.testing.assert_array_equal(condition(sound), sound)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 60_000), max_size=30), st.integers(0, 60_000))
def test_the_bits_do_not_depend_on_the_chunks(cuts: list[int], length: int) -> None:
    rng = np.random.default_rng(length)
    sound = 0.05 + hum(60.1, 60_000) * 0.1 + 0.01 * rng.standard_normal(60_000)
    sound[30_000:] += 0.2 * np.sin(2 * np.pi * 9 * np.arange(30_000) / SAMPLE_RATE_HZ)
    sound = sound.astype(np.float32)[:length]
    whole = condition(sound)
    assert len(whole) == length
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(condition(sound, [min(cut, length) for cut in cuts]), whole)


@pytest.mark.parametrize("level", [0.05, -0.2, 0.004])
def test_an_offset_is_removed_from_the_first_sample_on(speech: Samples, level: float) -> None:
    left = condition(speech + np.float32(level)) - speech
    assert np.abs(left).max() < 0.1 * abs(level)


def test_an_offset_is_removed_from_less_than_a_block() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 500 * np.arange(5_000) / SAMPLE_RATE_HZ)
    assert abs(condition((tone + 0.1).astype(np.float32)).mean()) < 0.001


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 49.93, 60.08])
@pytest.mark.parametrize("level", [0.01, 0.3])
def test_hum_is_removed_from_speech(speech: Samples, mains_hz: float, level: float) -> None:
    added = level * hum(mains_hz, len(speech))
    left = condition((speech + added).astype(np.float32)) - speech
    assert decibels(left) < decibels(added) - 15
    # Between utterances, where nothing covers it.
    assert decibels(left[:8_000]) < decibels(added) - 20


def test_a_rectifier_buzzes_at_twice_the_mains(speech: Samples) -> None:
    added = 0.1 * hum(100.0, len(speech), (1.0, 0.5))
    left = condition((speech + added).astype(np.float32)) - speech
    assert decibels(left[5 * SAMPLE_RATE_HZ :]) < decibels(added) - 15


def test_hum_that_begins_and_ends_is_followed(speech: Samples) -> None:
    added = 0.1 * hum(50.0, len(speech))
    begin, end = 5 * SAMPLE_RATE_HZ, 12 * SAMPLE_RATE_HZ
    added[:begin] = added[end:] = 0
    left = condition((speech + added).astype(np.float32)) - speech
    assert not left[:begin].any()
    assert decibels(left[begin + 4 * SAMPLE_RATE_HZ : end]) < decibels(added[begin:end]) - 15
    assert decibels(left[end + 5 * SAMPLE_RATE_HZ :]) < -75


@pytest.mark.parametrize("hz", [100.0, 120.0, 150.0, 220.0])
def test_a_steady_voice_is_not_mistaken_for_hum(hz: float) -> None:
    """A sung note is as steady as a voice gets; its pitch trembles by half a semitone."""
    t = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    pitch = hz * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 5 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    note = sum(np.sin(k * phase) / k for k in range(1, 8)) * 0.05
    note = note.astype(np.float32)
    np.testing.assert_array_equal(condition(note), note)


def test_rumble_is_damped_and_the_voice_is_left(speech: Samples) -> None:
    noise = np.random.default_rng(5).standard_normal(len(speech))
    added = sosfilt(butter(4, (4, 20), "band", fs=SAMPLE_RATE_HZ, output="sos"), noise)
    added *= 0.1 / np.sqrt(np.mean(added**2))
    heard = condition((speech + added).astype(np.float32))
    low = butter(4, 40, fs=SAMPLE_RATE_HZ, output="sos")
    high = butter(4, 200, "high", fs=SAMPLE_RATE_HZ, output="sos")
    assert decibels(sosfilt(low, heard)) < decibels(sosfilt(low, added)) - 25
    assert decibels(sosfilt(high, heard)) == pytest.approx(decibels(sosfilt(high, speech)), abs=0.5)


def test_what_is_removed_is_told(speech: Samples) -> None:
    conditioner = Conditioner()
    conditioner.push(speech)
    clean = conditioner.disturbances
    assert (clean.offset, clean.hum_hz, clean.hum_power, clean.rumble_power) == (0, None, 0, 0)
    conditioner.reset()
    conditioner.push((speech + 0.03 + 0.1 * hum(60.0, len(speech), (1.0,))).astype(np.float32))
    found = conditioner.disturbances
    assert found.offset == pytest.approx(0.03, rel=0.1)
    assert found.hum_hz == 60
    assert found.hum_power == pytest.approx(0.1**2 / 2, rel=0.1)


def test_nothing_in_nothing_out() -> None:
    assert len(condition(np.zeros(0, np.float32))) == 0
