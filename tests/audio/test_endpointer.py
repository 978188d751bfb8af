import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.endpointer import Cut, Endpointer
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


def listen(endpointer: Endpointer, sound: Samples, cuts: list[int]) -> list[Cut]:
    heard = []
    for chunk in np.split(sound, sorted(min(cut, len(sound)) for cut in cuts)):
        heard += endpointer.hear(chunk)
    return heard + endpointer.finish()


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
    endpointer = Endpointer(FakeVoiceActivity(), SHORT)
    heard = listen(endpointer, sound, cuts)
    lengths = [span.end_sample - span.start_sample for span, _, _ in heard]
    assert endpointer.speech_samples == sum(lengths)
    assert endpointer.speech_samples + endpointer.silence_samples == len(sound)
    for span, audio, _ in heard:
        np.testing.assert_array_equal(audio, sound[span.start_sample : span.end_sample])
    endpointer.reset()
    whole = listen(endpointer, sound, [])
    assert [span for span, _, _ in whole] == [span for span, _, _ in heard]
    assert [quality for _, _, quality in whole] == [quality for _, _, quality in heard]


def test_an_hour_needs_no_more_memory_than_a_minute() -> None:
    """And the audio handed out does not change when the ear hears on."""
    endpointer = Endpointer(FakeVoiceActivity(), SHORT)
    minute = bursts(5, 150)
    room = endpointer._recent._room
    heard = endpointer.hear(minute)
    copies = [audio.copy() for _, audio, _ in heard]
    for _ in range(4):
        endpointer.hear(minute)
    assert endpointer._recent._room is room
    for (_, audio, _), copy in zip(heard, copies, strict=True):
        np.testing.assert_array_equal(audio, copy)


def test_level_and_speaking_follow_the_sound() -> None:
    endpointer = Endpointer(FakeVoiceActivity(), SHORT)
    rng = np.random.default_rng(0)
    assert not endpointer.speaking
    endpointer.hear((rng.standard_normal(8_000) * 0.1).astype(np.float32))
    assert endpointer.speaking
    assert endpointer.level == pytest.approx(-20, abs=1)
    heard = endpointer.hear(np.zeros(8_000, np.float32))
    assert not endpointer.speaking
    assert endpointer.level < -60
    assert len(heard) == 1


def test_quality_measures_against_the_pauses() -> None:
    endpointer = Endpointer(FakeVoiceActivity())
    rng = np.random.default_rng(0)
    levels = np.repeat([0.001, 0.1, 0.001], 16_000)
    ((_, _, quality),) = listen(
        endpointer, (rng.standard_normal(48_000) * levels).astype(np.float32), [20_000]
    )
    assert quality.snr_db == pytest.approx(39, abs=1.5)


def test_what_is_no_number_is_silence() -> None:
    endpointer = Endpointer(FakeVoiceActivity())
    sound = np.full(4_000, np.nan, np.float32)
    sound[::3] = np.inf
    sound[1::7] = 1e30
    for _, audio, quality in listen(endpointer, sound, []):
        assert np.abs(audio).max() <= 8
        assert quality.clipped
    assert endpointer.speech_samples + endpointer.silence_samples == 4_000


def test_a_finished_timeline_must_be_reset() -> None:
    endpointer = Endpointer(FakeVoiceActivity())
    endpointer.hear(np.zeros(700, np.float32))
    assert endpointer.finish() == []
    assert endpointer.silence_samples == 700
    with pytest.raises(ValueError, match="reset"):
        endpointer.hear(np.zeros(1, np.float32))
    endpointer.reset()
    assert endpointer.silence_samples == 0
    endpointer.hear(np.zeros(1, np.float32))


def test_stereo_is_refused() -> None:
    with pytest.raises(ValueError, match="mono"):
        Endpointer(FakeVoiceActivity()).hear(np.zeros((10, 2), np.float32))
