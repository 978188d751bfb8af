import time
from itertools import pairwise

import numpy as np
import pytest

from streamer.audio.endpointer import Endpointer
from streamer.audio.vad import SileroVoiceActivity
from streamer.errors import UsageError
from streamer.testing import (
    MANNERS,
    SPEAKERS,
    FakeEncoder,
    FakeVoiceActivity,
    synthetic_session,
    synthetic_speech,
)
from streamer.types import SAMPLE_RATE_HZ, Samples


def pitches_hz(sound: Samples) -> np.ndarray:
    """By autocorrelation of 50 ms windows, where it is clear."""
    found = []
    for at in range(0, len(sound) - 800, 400):
        part = sound[at : at + 800] - sound[at : at + 800].mean()
        spectrum = np.abs(np.fft.rfft(part * np.hanning(800), 2048)) ** 2
        correlation = np.fft.irfft(spectrum)[:400]
        low = SAMPLE_RATE_HZ // 500
        lag = low + int(np.argmax(correlation[low:250]))
        if correlation[lag] > 0.5 * correlation[0]:
            found.append(SAMPLE_RATE_HZ / lag)
    return np.array(found)


def high_band_db(sound: Samples) -> float:
    """Power above 1 kHz relative to that below."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    edge = int(1000 * len(sound) / SAMPLE_RATE_HZ)
    return float(10 * np.log10(power[edge:].sum() / power[:edge].sum()))


def spoken(emotion: str, seed: int = 0) -> list[Samples]:
    rng = np.random.default_rng(seed)
    return [synthetic_speech(rng, emotion, 2.0, SPEAKERS[0]) for _ in range(6)]


def test_the_pitch_is_the_speakers() -> None:
    for speaker in SPEAKERS:
        sound = synthetic_speech(np.random.default_rng(4), "neutral", 3.0, speaker)
        assert np.median(pitches_hz(sound)) == pytest.approx(speaker.pitch_hz, rel=0.12)


def test_aroused_emotions_are_louder_higher_and_brighter_than_sadness() -> None:
    sad = spoken("sad")
    for emotion in ("angry", "happy"):
        lively = spoken(emotion)
        for cue, least in (
            (lambda s: 10 * np.log10(np.mean(s**2)), 6.0),
            (lambda s: 12 * np.log2(np.median(pitches_hz(s))), 4.0),
            (high_band_db, 3.0),
        ):
            difference = np.mean([cue(s) for s in lively]) - np.mean([cue(s) for s in sad])
            assert difference > least


def test_the_same_generator_state_gives_the_same_sound() -> None:
    first, second = (synthetic_session(np.random.default_rng(7), 3) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_silero_hears_synthetic_utterances_as_one_each() -> None:
    sound, truth = synthetic_session(
        np.random.default_rng(11), 21, speakers=4, emotions=tuple(MANNERS)
    )
    endpointer = Endpointer(SileroVoiceActivity())
    spans = [span for span, _, _ in endpointer.hear(sound) + endpointer.finish()]
    found = 0
    for utterance in truth:
        onset, offset = (s * SAMPLE_RATE_HZ for s in (utterance.onset_s, utterance.offset_s))
        over = [s for s in spans if s.start_sample < offset and s.end_sample > onset]
        found += len(over) == 1 and abs(over[0].start_sample - onset) < 0.3 * SAMPLE_RATE_HZ
    assert found >= 20
    assert len(spans) <= len(truth)


def test_a_session_holds_what_it_says() -> None:
    sound, truth = synthetic_session(np.random.default_rng(0), 8, rate_hz=48_000)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() <= 1.0
    assert {u.emotion for u in truth[:4]} == {"neutral", "happy", "sad", "angry"}
    assert {u.speaker for u in truth} <= {"low", "high"}
    inside = np.concatenate([sound[int(u.onset_s * 48e3) : int(u.offset_s * 48e3)] for u in truth])
    between = [
        sound[int(a.offset_s * 48e3) + 1_000 : int(b.onset_s * 48e3) - 1_000]
        for a, b in pairwise(truth)
    ]
    assert np.sqrt(np.mean(inside**2)) > 10 ** (-30 / 20)
    assert np.sqrt(np.mean(np.concatenate(between) ** 2)) < 10 ** (-50 / 20)


def test_a_minute_is_made_in_seconds_at_most() -> None:
    start_s = time.process_time()
    sound, _ = synthetic_session(np.random.default_rng(1), 16)
    assert len(sound) > 45 * SAMPLE_RATE_HZ
    assert time.process_time() - start_s < 5.0


@pytest.mark.parametrize(
    "wrong",
    [{"speakers": 9}, {"utterances": -1}, {"rate_hz": 100}, {"emotions": ("cross",)}],
)
def test_a_session_that_cannot_be_had_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"choose|give"):
        synthetic_session(np.random.default_rng(0), **wrong)  # type: ignore[arg-type]


def test_an_unknown_emotion_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'bored'.*neutral"):
        synthetic_speech(np.random.default_rng(0), "bored")


def test_fake_voice_activity_follows_level_or_list() -> None:
    by_level = FakeVoiceActivity()
    assert by_level(np.zeros(512, np.float32)) == 0.0
    assert by_level(np.full(512, 0.1, np.float32)) == 1.0
    given = FakeVoiceActivity([0.2, 0.9])
    frame = np.zeros(512, np.float32)
    assert [given(frame) for _ in range(3)] == [0.2, 0.9, 0.0]
    given.reset()
    assert given(frame) == 0.2


def test_fake_encoder_is_deterministic_and_tells_anger_from_sadness() -> None:
    encoder, again = FakeEncoder(), FakeEncoder()
    assert encoder.sha256 == again.sha256 != FakeEncoder(embedding_size=3).sha256
    means = {}
    for emotion in ("angry", "sad"):
        embeddings = []
        for sound in spoken(emotion):
            embedding, unit = encoder.encode(sound)
            assert embedding.shape == (16,)
            assert unit.shape == (8,)
            assert embedding.dtype == unit.dtype == np.float32
            assert np.linalg.norm(unit) == pytest.approx(1.0, abs=1e-5)
            np.testing.assert_array_equal(embedding, again.encode(sound)[0])
            embeddings.append(embedding)
        means[emotion] = np.array(embeddings)
    apart = np.linalg.norm(means["angry"].mean(0) - means["sad"].mean(0))
    assert apart > 2 * means["angry"].std(0).mean() + 2 * means["sad"].std(0).mean()


@pytest.mark.parametrize("length", [0, 1, 300, 16_000])
def test_fake_encoder_takes_any_length(length: int) -> None:
    embedding, unit = FakeEncoder().encode(np.zeros(length, np.float32))
    assert np.isfinite(embedding).all()
    assert np.isfinite(unit).all()
