"""A recording as one utterance: every sample counted, the level set as an endpointer sets it."""

import numpy as np
import pytest

from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.conditioning.usual_level import UsualLevel
from streamer.audio.quality import level_dbfs
from streamer.audio.whole_recording import LONGEST_S, WholeRecording
from streamer.errors import UnreadableAudio
from streamer.types import SAMPLE_RATE_HZ


def whole(audio, sizes=(1000, 7, 512)):
    recording = WholeRecording(LevelFollower(), UsualLevel(None))
    at = 0
    while at < len(audio):
        size = sizes[at % len(sizes)]
        assert recording.hear(audio[at : at + size]) == []
        at += size
    return recording, recording.finish()


def speech(level=0.1, seconds=4):
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.uniform(0.01, 1.0, seconds * 10), SAMPLE_RATE_HZ // 10)
    return (level * loud * rng.normal(0, 1, seconds * SAMPLE_RATE_HZ)).astype(np.float32)


def test_all_of_it_is_one_utterance_whatever_the_chunks():
    audio = speech()
    recording, ((span, heard, quality),) = whole(audio)
    assert (span.start_sample, span.end_sample) == (0, len(audio))
    assert np.array_equal(heard, audio)
    assert (recording.speech_samples, recording.silence_samples) == (len(audio), 0)
    assert quality.level_dbfs == pytest.approx(level_dbfs(audio))
    assert quality.snr_db > 10.0


def test_what_is_far_too_quiet_is_raised_and_its_quality_says_so():
    _, ((_, heard, quality),) = whole(speech(1e-4))
    assert quality.level_dbfs < -75.0
    assert level_dbfs(heard) > quality.level_dbfs + 15.0
    assert np.abs(heard).max() <= 1.0


def test_after_a_reset_nothing_is_left():
    recording, _ = whole(speech())
    recording.reset()
    assert recording.finish() == []
    assert recording.speech_samples == 0
    assert not recording.speaking


def test_what_an_encoder_cannot_hold_is_refused():
    recording = WholeRecording(LevelFollower(), UsualLevel(None))
    recording.hear(np.zeros(LONGEST_S * SAMPLE_RATE_HZ, np.float32))
    with pytest.raises(UnreadableAudio, match="leave out --whole"):
        recording.hear(np.zeros(1, np.float32))
