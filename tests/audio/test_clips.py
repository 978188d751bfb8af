"""Clips as bytes, and pieces of recordings."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from streamer.audio.clips import from_flac, from_recording, to_flac
from tests.audio.hearing import noise


def test_a_clip_comes_back_to_16_bit():
    audio = noise(4_000, 1)[:, 0]
    assert from_flac(to_flac(audio)) == pytest.approx(audio, abs=1 / 32768)


@pytest.mark.parametrize("form", ["MP3", "OGG", "FLAC", "WAV"])
def test_a_piece_of_a_recording_is_that_piece_from_its_beginning(form: str, tmp_path: Path):
    """Noise up to 2 kHz: it takes few bits, and frames of MP3 lean on those that were left."""
    rate_hz = 44_100
    path = tmp_path / f"dense.{form.lower()}"
    dense = soxr.resample(0.2 * np.random.default_rng(0).standard_normal(32_000), 4_000, rate_hz)
    soundfile.write(path, dense, rate_hz, format=form)
    whole, _ = soundfile.read(path, dtype="float32")
    for onset_s in np.arange(0.0, 7.0, 0.37):
        onset = round(onset_s * rate_hz)
        piece = from_recording(path, onset_s, onset_s + 0.5)
        expected = soxr.resample(whole[onset : onset + rate_hz // 2], rate_hz, 16_000)
        assert piece == pytest.approx(expected, abs=0.02)
