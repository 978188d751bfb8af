"""Accounting through gaps, files, rates and channels."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.testing import FakeVoiceActivity, Spoken, synthetic_session
from streamer.types import Chunk, Gap, Utterance

RATES = (8_000, 16_000, 24_414, 44_100, 48_000)


def make_hearing(channel: int | None = None) -> UtteranceStream:
    return UtteranceStream(Endpointer(FakeVoiceActivity()), partial(Resampler, channel=channel))


def tell_apart(utterance_stream: UtteranceStream) -> int:
    account = utterance_stream.accounting
    return account.captured - account.speech - account.silence - account.dropped.total()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(RATES), st.integers(1, 2), st.integers(0, 30_000)),
            st.integers(0, 50_000),
        ),
        max_size=12,
    ),
    st.integers(0, 2**32 - 1),
)
def test_every_sample_is_accounted_for_once(
    items: list[tuple[int, int, int] | int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    utterance_stream = make_hearing()
    given_samples, utterances = 0, []
    for item in items:
        if isinstance(item, int):
            given_samples += item
            utterances += utterance_stream.hear(Gap(item, "device_lost"))
        else:
            rate_hz, channels, count = item
            loud = np.repeat(rng.choice([0.001, 0.3], size=count // 4_000 + 1), 4_000)[:count]
            noise = rng.standard_normal((count, channels)) * loud[:, np.newaxis]
            given_samples += count
            utterances += utterance_stream.hear(
                Chunk(noise.astype(np.float32), rate_hz, f"{rate_hz}")
            )
    utterances += utterance_stream.finish()
    account = utterance_stream.accounting
    assert account.captured == given_samples
    assert tell_apart(utterance_stream) == 0
    assert set(account.dropped) <= {"device_lost"}
    assert account.speech >= 0
    assert account.silence >= 0
    for utterance in utterances:
        assert 0 <= utterance.onset_s < utterance.offset_s


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_times_do_not_depend_on_rate_or_channels(rate_hz: int, channels: int) -> None:
    audio, truth = synthetic_session(np.random.default_rng(3), 4, rate_hz)
    utterance_stream = make_hearing()
    found = utterance_stream.hear(Chunk(np.repeat(audio[:, np.newaxis], channels, 1), rate_hz, "s"))
    found += utterance_stream.finish()
    assert len(found) == len(truth)
    for utterance, spoken in zip(found, truth, strict=True):
        assert abs(utterance.onset_s - spoken.onset_s) < 0.25
        assert abs(utterance.offset_s - spoken.offset_s) < 0.5
        assert utterance.offset_s - utterance.onset_s == pytest.approx(
            len(utterance.audio) / 16_000, abs=2e-3
        )
    assert tell_apart(utterance_stream) == 0


def test_a_gap_ends_the_utterance_and_time_goes_on_behind_it() -> None:
    audio, (spoken, *_) = synthetic_session(np.random.default_rng(3), 1)
    whole = audio[:, np.newaxis]
    middle = round((spoken.onset_s + spoken.offset_s) / 2 * 16_000)
    utterance_stream = make_hearing()
    before = utterance_stream.hear(Chunk(whole[:middle], 16_000, "mic"))
    before += utterance_stream.hear(Gap(80_000, "device_lost"))
    after = utterance_stream.hear(Chunk(whole[middle:], 16_000, "mic")) + utterance_stream.finish()
    assert len(before) == len(after) == 1
    assert before[0].offset_s <= middle / 16_000
    assert after[0].onset_s >= middle / 16_000 + 5.0
    assert after[0].offset_s == pytest.approx(spoken.offset_s + 5.0, abs=0.5)
    assert utterance_stream.accounting.dropped == {"device_lost": 80_000}
    assert tell_apart(utterance_stream) == 0


def test_a_new_file_begins_at_zero(spoken_session: tuple[np.ndarray, list[Spoken]]) -> None:
    audio = spoken_session[0][:, np.newaxis]
    utterance_stream = make_hearing()
    found: dict[str, list[Utterance]] = {"a.wav": [], "b.wav": []}
    for name in found:
        for utterance in utterance_stream.hear(Chunk(audio, 16_000, name)):
            found[utterance.source].append(utterance)
    for utterance in utterance_stream.finish():
        found[utterance.source].append(utterance)
    times = [[(u.onset_s, u.offset_s) for u in heard] for heard in found.values()]
    assert times[0] == times[1]
    assert len(times[0]) == 12


def test_a_chosen_channel_is_the_one_heard() -> None:
    audio, truth = synthetic_session(np.random.default_rng(3), 3)
    stereo = np.stack([np.zeros_like(audio), audio], axis=1)
    silent, speaking = make_hearing(channel=1), make_hearing(channel=2)
    for utterance_stream, expected in ((silent, 0), (speaking, len(truth))):
        found = utterance_stream.hear(Chunk(stereo, 16_000, "s")) + utterance_stream.finish()
        assert len(found) == expected


def test_samples_that_a_resampler_loses_show_as_unaccounted() -> None:
    class Leaky(Resampler):
        def push(self, samples: np.ndarray) -> np.ndarray:
            return super().push(samples)[:-10]

    utterance_stream = UtteranceStream(Endpointer(FakeVoiceActivity()), Leaky)
    utterance_stream.hear(Chunk(np.zeros((16_000, 1), np.float32), 16_000, "s"))
    utterance_stream.finish()
    assert utterance_stream.accounting.dropped == {"unaccounted": 10}
    assert tell_apart(utterance_stream) == 0
