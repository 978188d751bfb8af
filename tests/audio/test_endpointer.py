import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.endpointer import Cut, Ear
from streamer.audio.segmentation import SegmentationSettings
from streamer.testing import FakeVoiceActivity
from streamer.types import Samples

SHORT = SegmentationSettings(
    hangover_samples=2_048,
    reach_samples=2_048,
    pre_roll_samples=700,
    padding_samples=900,
    minimum_utterance_samples=1_500,
    maximum_utterance_samples=9_000,
)


def bursts(seed: int, count: int) -> Samples:
    """Loud and soft stretches of noise, of any length."""
    rng = np.random.default_rng(seed)
    parts = [
        rng.standard_normal(int(rng.integers(1, 12_000))) * (0.1 if k % 2 else 0.0003)
        for k in range(count)
    ]
    return np.concatenate([np.zeros(0), *parts]).astype(np.float32)


def listen(ear: Ear, sound: Samples, cuts: list[int]) -> list[Cut]:
    heard = []
    for chunk in np.split(sound, sorted(min(cut, len(sound)) for cut in cuts)):
        heard += ear.hear(chunk)
    return heard + ear.finish()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 12),
    st.lists(st.integers(0, 70_000), max_size=40),
)
def test_chunks_do_not_matter_and_every_sample_counts_once(
    seed: int, count: int, cuts: list[int]
) -> None:
    sound = bursts(seed, count)
    ear = Ear(FakeVoiceActivity(), SHORT)
    heard = listen(ear, sound, cuts)
    lengths = [span.end_sample - span.start_sample for span, _, _ in heard]
    assert ear.speech_samples == sum(lengths)
    assert ear.speech_samples + ear.silence_samples == len(sound)
    for span, audio, _ in heard:
        np.testing.assert_array_equal(audio, sound[span.start_sample : span.end_sample])
    ear.reset()
    whole = listen(ear, sound, [])
    assert [span for span, _, _ in whole] == [span for span, _, _ in heard]
    assert [quality for _, _, quality in whole] == [quality for _, _, quality in heard]


def test_an_hour_needs_no_more_memory_than_a_minute() -> None:
    """And the audio handed out does not change when the ear hears on."""
    ear = Ear(FakeVoiceActivity(), SHORT)
    minute = bursts(5, 150)
    room = ear._recent._room
    heard = ear.hear(minute)
    copies = [audio.copy() for _, audio, _ in heard]
    for _ in range(4):
        ear.hear(minute)
    assert ear._recent._room is room
    for (_, audio, _), copy in zip(heard, copies, strict=True):
        np.testing.assert_array_equal(audio, copy)


def test_level_and_speaking_follow_the_sound() -> None:
    ear = Ear(FakeVoiceActivity(), SHORT)
    rng = np.random.default_rng(0)
    assert not ear.speaking
    ear.hear((rng.standard_normal(8_000) * 0.1).astype(np.float32))
    assert ear.speaking
    assert ear.level == pytest.approx(-20, abs=1)
    heard = ear.hear(np.zeros(8_000, np.float32))
    assert not ear.speaking
    assert ear.level < -60
    assert len(heard) == 1


def test_quality_measures_against_the_pauses() -> None:
    ear = Ear(FakeVoiceActivity())
    rng = np.random.default_rng(0)
    levels = np.repeat([0.001, 0.1, 0.001], 16_000)
    ((_, _, quality),) = listen(
        ear, (rng.standard_normal(48_000) * levels).astype(np.float32), [20_000]
    )
    assert quality.snr_db == pytest.approx(39, abs=1.5)


def test_what_is_no_number_is_silence() -> None:
    ear = Ear(FakeVoiceActivity())
    sound = np.full(4_000, np.nan, np.float32)
    sound[::3] = np.inf
    sound[1::7] = 1e30
    for _, audio, quality in listen(ear, sound, []):
        assert np.abs(audio).max() <= 8
        assert quality.clipped
    assert ear.speech_samples + ear.silence_samples == 4_000


def test_a_finished_timeline_must_be_reset() -> None:
    ear = Ear(FakeVoiceActivity())
    ear.hear(np.zeros(700, np.float32))
    assert ear.finish() == []
    assert ear.silence_samples == 700
    with pytest.raises(ValueError, match="reset"):
        ear.hear(np.zeros(1, np.float32))
    ear.reset()
    assert ear.silence_samples == 0
    ear.hear(np.zeros(1, np.float32))


def test_stereo_is_refused() -> None:
    with pytest.raises(ValueError, match="mono"):
        Ear(FakeVoiceActivity()).hear(np.zeros((10, 2), np.float32))
