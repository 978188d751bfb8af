"""Whatever one channel spoils, the voice of the other is heard; healthy channels are mixed."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.channels import ChannelMixer
from streamer.testing import Spoken
from streamer.types import SAMPLE_RATE_HZ, Samples


def mix(sound: Samples, cuts: list[int] | None = None, rate_hz: int = SAMPLE_RATE_HZ):
    mixer = ChannelMixer(rate_hz, sound.shape[1])
    parts = [mixer.push(part) for part in np.split(sound, sorted(cuts or []))]
    return np.concatenate([*parts, mixer.finish()])[:, 0], mixer.faults


@pytest.fixture(scope="session")
def voice(spoken_session: tuple[Samples, list[Spoken]]) -> Samples:
    rng = np.random.default_rng(8)
    sound = spoken_session[0]
    return (sound + 0.001 * rng.standard_normal(len(sound))).astype(np.float32)


def hiss(level: float) -> Callable[[Samples], Samples]:
    return lambda x: level * np.random.default_rng(9).standard_normal(len(x))


SPOILED: dict[str, Callable[[Samples], Samples]] = {
    "opposite": lambda x: -x,
    "opposite, softer": lambda x: -0.4 * x,
    "opposite, louder": lambda x: -1.5 * x,
    "digital silence": lambda x: 0 * x,
    "unplugged": hiss(1e-5),
    "constant": lambda x: 0 * x + 0.1,
    "hiss": hiss(0.05),
    "hum": lambda x: 0.2 * np.sin(2 * np.pi * 50 * np.arange(len(x)) / SAMPLE_RATE_HZ),
    "voice in hiss": lambda x: x + hiss(0.05)(x),
}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_channel_is_left_out(voice: Samples, name: str, place: int) -> None:
    channels = [voice, SPOILED[name](voice)]
    sound = np.stack(channels[:: 1 if place else -1], axis=1).astype(np.float32)
    heard, faults = mix(sound)
    assert len(heard) == len(voice)
    if name.startswith("opposite"):  # either will do: a voice upside down is the same voice
        assert len(faults) == 1
        gains = np.array([heard @ x / (x @ x) for x in channels])
        assert np.isclose(np.abs(gains), 1.0, atol=0.01).any()
    else:
        assert list(faults) == [place + 1]
        np.testing.assert_array_equal(heard, voice)


@pytest.mark.parametrize("gain", [-4.0, -0.25])
def test_another_gain_is_not_told_as_noise(voice: Samples, gain: float) -> None:
    """Before anybody speaks, the louder channel only seems to have more of it."""
    sound = np.stack([gain * voice, voice], axis=1).astype(np.float32)[SAMPLE_RATE_HZ // 2 :]
    mixer = ChannelMixer(SAMPLE_RATE_HZ, 2)
    told = set()
    for part in np.split(sound, range(4_000, len(sound), 4_000)):
        mixer.push(part)
        told |= set(mixer.faults.values())
    assert len(told) >= 1
    assert all("in opposite phase" in fault for fault in told)


def test_healthy_channels_are_mixed_as_ever(voice: Samples) -> None:
    rng = np.random.default_rng(10)
    other = np.roll(voice, 7) * 0.8 + 0.001 * rng.standard_normal(len(voice))
    sound = np.stack([voice, other], axis=1).astype(np.float32)
    heard, faults = mix(sound)
    assert not faults
    np.testing.assert_allclose(heard, sound.mean(axis=1), atol=1e-7)


def test_two_people_with_a_microphone_each_are_both_heard(voice: Samples) -> None:
    rng = np.random.default_rng(11)
    other = voice[::-1] + 0.001 * rng.standard_normal(len(voice))
    _, faults = mix(np.stack([voice, other], axis=1).astype(np.float32))
    assert not faults


def test_one_voice_among_four(voice: Samples) -> None:
    dead, hissing = 0 * voice, hiss(0.03)(voice)
    sound = np.stack([hissing, dead, voice, -voice], axis=1).astype(np.float32)
    heard, faults = mix(sound)
    assert sorted(faults) == [1, 2, 4]
    np.testing.assert_array_equal(heard, voice)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 40_000), max_size=20), st.integers(0, 40_000))
def test_the_bits_do_not_depend_on_the_chunks(cuts: list[int], length: int) -> None:
    rng = np.random.default_rng(length)
    loud = np.repeat(rng.choice([0.001, 0.2], size=11), 4_000)[:40_000]
    left = rng.standard_normal(40_000) * loud
    sound = np.stack([left, np.where(loud > 0.1, -left, 0.01)], axis=1).astype(np.float32)[:length]
    whole, _ = mix(sound)
    assert len(whole) == length
    cut, _ = mix(sound, [min(cut, length) for cut in cuts])
    np.testing.assert_array_equal(cut, whole)


def test_whatever_the_samples_are_every_one_comes_out() -> None:
    for rate_hz, count in ((1_000, 3), (8_000, 1), (44_100, 50_000), (768_000, 10)):
        heard, _ = mix(np.zeros((count, 3), np.float32), rate_hz=rate_hz)
        assert heard.tolist() == [0.0] * count
