"""Copies of clips: other voices and other tempos."""

import numpy as np
import pytest

from tests.training.synthetic_clips import RATE_HZ, write_speech

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.data.copies import (  # noqa: E402
    at_other_pitch,
    at_other_speed,
    at_other_tempo,
)
from streamer.training.data.speech import Clip  # noqa: E402
from streamer.training.data.targets import Cache, write_mel  # noqa: E402

TONE_HZ = 400.0


def clip_of(name: str, speaker: str, samples: int = RATE_HZ) -> Clip:
    return Clip("made", name, speaker, "anger", "en", 0, samples)


def tone(seconds: float = 1.0) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * TONE_HZ * time_s)).astype(np.float32)


def pitch_hz(audio: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 16 * RATE_HZ))
    return float(spectrum.argmax()) / 16


def test_pitch_and_tempo_change_together_by_8_to_20_percent():
    factors = []
    for i in range(30):
        copy, changed = at_other_speed(clip_of("a", f"speaker{i}"), tone())
        factor = RATE_HZ / len(changed)
        assert pitch_hz(changed) == pytest.approx(TONE_HZ * factor, rel=0.01)
        assert 1.079 < max(factor, 1 / factor) < 1.201
        assert copy.samples == len(changed)
        assert changed.dtype == np.float32
        factors.append(factor)
    assert min(factors) < 1.0 < max(factors)


def test_pitch_alone_changes_and_the_clip_is_as_long():
    found = set()
    for i in range(6):
        copy, changed = at_other_pitch(clip_of("a", f"speaker{i}"), tone())
        assert len(changed) == copy.samples == RATE_HZ
        factor = pitch_hz(changed) / TONE_HZ
        assert 1.07 < max(factor, 1 / factor) < 1.21
        assert (copy.name, copy.speaker, copy.emotion) == ("a.pitch~", f"speaker{i}.pitch~", "")
        assert copy.is_copy
        found.add(factor > 1)
    assert found == {True, False}


def test_tempo_alone_changes_and_the_voice_stays():
    for i in range(6):
        copy, changed = at_other_tempo(clip_of("a", f"speaker{i}"), tone())
        assert pitch_hz(changed) == pytest.approx(TONE_HZ, rel=0.01)
        factor = RATE_HZ / len(changed)
        assert 1.079 < max(factor, 1 / factor) < 1.201
        assert (copy.name, copy.speaker) == ("a.tempo~", f"speaker{i}")
        assert changed.dtype == np.float32


def test_a_speaker_stays_one_speaker_and_carries_no_emotion():
    lengths = set()
    for name in ("a", "b", "c"):
        copy, changed = at_other_speed(clip_of(name, "her"), tone())
        lengths.add(len(changed))
        assert (copy.name, copy.speaker, copy.emotion) == (f"{name}~", "her~", "")
    assert len(lengths) == 1


def test_unknown_speakers_stay_unknown_and_differ_by_clip():
    copies = [at_other_speed(clip_of(f"{i}", ""), tone()) for i in range(5)]
    assert {copy.speaker for copy, _ in copies} == {""}
    assert len({len(changed) for _, changed in copies}) > 1


def test_a_cache_holds_every_clip_twice_if_asked(tmp_path):
    speech = write_speech(tmp_path / "speech", 3)
    write_mel(speech, tmp_path / "twice")
    write_mel(speech, tmp_path / "once", copies=())
    names = [clip.name for clip in Cache.open(tmp_path / "twice").clips]
    assert names == ["0.wav", "0.wav~", "1.wav", "1.wav~", "2.wav", "2.wav~"]
    assert [clip.name for clip in Cache.open(tmp_path / "once").clips] == names[::2]


def test_a_cache_holds_the_copies_that_are_asked_for(tmp_path):
    speech = write_speech(tmp_path / "speech", 1)
    write_mel(speech, tmp_path / "all", copies=("pitch", "tempo"))
    names = [clip.name for clip in Cache.open(tmp_path / "all").clips]
    assert names == ["0.wav", "0.wav.pitch~", "0.wav.tempo~"]
