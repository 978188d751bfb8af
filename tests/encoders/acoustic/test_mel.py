"""The mel spectrogram on it, against librosa's."""

import librosa
import numpy as np
import pytest

from streamer.encoders.acoustic.mel import hz_to_mel, mel_filters, mel_power, mel_to_hz


def test_the_scale_is_slaneys():
    hz = np.array([0.0, 60.0, 999.0, 1000.0, 1001.0, 4000.0, 8000.0])
    assert hz_to_mel(hz) == pytest.approx(librosa.hz_to_mel(hz))
    assert mel_to_hz(hz_to_mel(hz)) == pytest.approx(hz)


@pytest.mark.parametrize(
    ("fft_samples", "bands", "lowest_hz", "highest_hz"),
    [(512, 56, 0.0, 8000.0), (512, 40, 50.0, 7600.0), (400, 80, 0.0, 8000.0)],
)
def test_the_filters_are_librosas(fft_samples, bands, lowest_hz, highest_hz):
    theirs = librosa.filters.mel(
        sr=16_000, n_fft=fft_samples, n_mels=bands, fmin=lowest_hz, fmax=highest_hz
    )
    ours = mel_filters(fft_samples, bands, lowest_hz, highest_hz)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_power_is_that_of_a_plain_transform():
    audio = np.random.default_rng(1).normal(size=4000).astype(np.float32)
    found = mel_power(audio, 512, 160, 56, 8000.0)
    assert found.shape == (26, 56)
    at = 10
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frame = audio[at * 160 - 256 : at * 160 + 256] * window
    power = np.abs(np.fft.fft(frame)[:257]) ** 2
    theirs = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=56, fmax=8000.0) @ power
    assert found[at] == pytest.approx(theirs, rel=1e-5)
