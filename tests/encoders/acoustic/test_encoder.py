"""The 112 functionals: what they measure, and that nothing makes them fail."""

import json

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.encoders.acoustic.descriptors import CEPSTRA, SPECTRAL, describe_frames
from streamer.encoders.acoustic.encoder import FEATURES, SILENCE_DBFS, AcousticEncoder
from streamer.encoders.acoustic.functionals import summarize
from streamer.encoders.acoustic.pitch import track_pitch
from streamer.errors import EncoderError
from streamer.testing import synthetic_session
from streamer.types import SAMPLE_RATE_HZ

ENCODER = AcousticEncoder()
SECOND = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def voices():
    audio, spoken = synthetic_session(np.random.default_rng(4), 6)
    return [audio[round(s.onset_s * 16_000) : round(s.offset_s * 16_000)] for s in spoken]


def features(audio):
    return dict(zip(FEATURES, ENCODER.encode(np.asarray(audio, np.float32))[0], strict=True))


def tone(hz, harmonics=20):
    count = min(harmonics, int(7_000 / hz))
    return 0.1 * sum(np.sin(2 * np.pi * hz * k * SECOND) / k for k in range(1, count + 1))


def hz_of(semitones):
    return 27.5 * 2 ** (semitones / 12)


def test_there_are_112_and_each_has_its_population(voices):
    assert ENCODER.embedding_size == ENCODER.emotion_size == len(FEATURES) == 112
    described = summarize(describe_frames(voices[0].astype(np.float64)), -20.0)
    assert tuple(described) == FEATURES
    assert tuple(ENCODER.functionals(voices[0])) == FEATURES
    prior = ENCODER.prior
    assert (prior.embedding_deviation > 0).all()
    assert not prior.weights.any()


def test_the_scale_of_the_prior_suits_voices(voices):
    prior = ENCODER.prior
    embeddings = np.array([ENCODER.encode(voice)[0] for voice in voices])
    scores = (embeddings - prior.embedding_mean) / prior.embedding_deviation
    assert np.median(np.abs(scores)) < 2.0


def test_the_same_audio_gives_the_same_vectors_bit_for_bit(voices):
    for first, again in zip(
        ENCODER.encode(voices[0]), AcousticEncoder().encode(voices[0]), strict=True
    ):
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32
    assert np.linalg.norm(ENCODER.encode(voices[0])[1]) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("gain", [0.003, 0.5, 30.0])
def test_the_level_is_one_feature_and_changes_no_other(voices, gain):
    for voice in voices[:2]:
        plain, scaled = features(voice), features(gain * voice)
        assert scaled.pop("level_dbfs") - plain.pop("level_dbfs") == pytest.approx(
            20 * np.log10(gain), abs=0.01
        )
        assert list(scaled.values()) == pytest.approx(list(plain.values()), rel=1e-3, abs=1e-3)


def test_a_constant_offset_changes_nothing(voices):
    plain, shifted = features(voices[0]), features(voices[0] + 0.2)
    assert list(shifted.values()) == pytest.approx(list(plain.values()), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize("hz", [65, 98, 131, 220, 349, 587])
@pytest.mark.parametrize("harmonics", [1, 20])
def test_the_pitch_of_a_tone_is_right_within_3_percent(hz, harmonics):
    found = features(tone(hz, harmonics))
    assert hz_of(found["pitch_p50_st"]) == pytest.approx(hz, rel=0.03)
    assert found["pitch_deviation_st"] < 0.5
    assert found["voiced_share"] > 0.95
    assert found["harmonics_db_mean"] > 5.0


def test_the_pitch_of_a_weak_fundamental_in_noise_is_that_of_its_harmonics():
    sound = sum(np.sin(2 * np.pi * 120 * k * SECOND) for k in range(2, 9))
    noise = np.random.default_rng(0).standard_normal(len(sound))
    assert np.median(track_pitch(sound + 0.3 * noise).hz) == pytest.approx(120, rel=0.03)


def test_a_glide_is_measured_in_semitones_a_second_and_is_no_jitter():
    hz = 120.0 * 2 ** (SECOND * 12 / 12)  # an octave up in a second
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
    glide = features(0.1 * sum(np.sin(k * phase) / k for k in range(1, 15)))
    assert glide["pitch_trend_st_s"] == pytest.approx(12.0, rel=0.05)
    assert glide["pitch_rise_st_s"] == pytest.approx(12.0, rel=0.1)
    assert glide["jitter_st_mean"] < 0.05


def test_noise_is_not_voiced_and_brighter_than_a_voice(voices):
    noise = features(0.1 * np.random.default_rng(1).standard_normal(16_000))
    assert noise["voiced_share"] < 0.05
    assert noise["unvoiced_centroid_khz_mean"] > 3.0
    assert features(voices[0])["voiced_share"] > 0.4


def test_the_spectrum_of_white_noise_is_flat_by_every_measure():
    audio = np.random.default_rng(2).standard_normal(48_000)
    spectral = describe_frames(audio).spectral
    mean = dict(zip(SPECTRAL, spectral[3:-3].mean(axis=0), strict=True))
    assert mean["centroid_khz"] == pytest.approx(4.0, abs=0.1)
    assert mean["rolloff_khz"] == pytest.approx(0.85 * 8.0, abs=0.2)
    assert mean["alpha_db"] == pytest.approx(10 * np.log10(0.95 / 4.0), abs=0.5)
    assert mean["flatness_db"] == pytest.approx(-2.5, abs=0.3)  # the mean log of an exponential
    assert mean["slope_high_db"] == pytest.approx(0.0, abs=0.5)


def test_zero_crossings_of_a_tone_are_twice_its_frequency():
    mean = dict(zip(FEATURES, ENCODER.encode(tone(500, 1).astype(np.float32))[0], strict=True))
    assert mean["zero_crossings_khz_mean"] == pytest.approx(1.0, abs=0.03)


def test_contrast_is_higher_where_a_band_has_harmonics():
    held, noise = tone(200), np.random.default_rng(5).standard_normal(SAMPLE_RATE_HZ)
    column = SPECTRAL.index("contrast3_db")
    of_tone, of_noise = (
        describe_frames((y - y.mean()) / y.std()).spectral[3:-3, column].mean()
        for y in (held, noise)
    )
    assert of_tone > of_noise + 10.0


def test_the_cepstrum_and_its_deltas_are_those_of_the_whole_signal():
    """As librosa takes them from the samples, where no frame reaches the floor of 80 dB."""
    audio = 0.1 * np.random.default_rng(4).standard_normal(SAMPLE_RATE_HZ)
    audio /= audio.std()
    found = describe_frames(audio)
    mel = librosa.feature.melspectrogram(
        y=audio, sr=SAMPLE_RATE_HZ, n_fft=512, win_length=400, hop_length=160,
        n_mels=40, fmin=50.0, fmax=7600.0, pad_mode="constant",
    )  # fmt: skip
    expected = librosa.feature.mfcc(S=10.0 * np.log10(mel), n_mfcc=CEPSTRA + 1)[1:].T
    np.testing.assert_allclose(found.cepstrum, expected, rtol=1e-6, atol=1e-6)
    assert found.deltas.shape == expected.shape
    # In the middle, a delta of width 5 is the slope of the line through five neighbours.
    slope = (2 * expected[4] + expected[3] - expected[1] - 2 * expected[0]) / 10 / 0.01
    np.testing.assert_allclose(found.deltas[2], slope, rtol=1e-6)


def test_syllables_and_pauses_are_counted():
    envelope = (np.sin(2 * np.pi * 4 * np.arange(48_000) / SAMPLE_RATE_HZ) > 0).astype(float)
    sound = envelope * np.tile(tone(150), 3)
    found = features(sound)
    assert found["energy_peaks_per_s"] == pytest.approx(4.0, abs=1.0)
    assert found["voiced_per_s"] == pytest.approx(4.0, abs=0.4)
    assert found["voiced_mean_s"] == pytest.approx(0.125, abs=0.04)
    assert found["pause_mean_s"] == pytest.approx(0.125, abs=0.04)


def test_silence_says_nothing_but_that_it_is_silent():
    mean = dict(zip(FEATURES, ENCODER.prior.embedding_mean, strict=True))
    for audio in (np.zeros(16_000), np.full(16_000, 0.3), np.zeros(0)):
        found = features(audio)
        assert found["level_dbfs"] == SILENCE_DBFS
        assert found["active_share"] == 0.0
        for name in ("pitch_mean_st", "mfcc1_mean", "flux_db_mean", "voiced_share"):
            assert found[name] == pytest.approx(mean[name], rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 9_000),
    gain=st.sampled_from([0.0, 1e-6, 1e-4, 0.1, 1.0, 1e3]),
    kind=st.sampled_from(["noise", "click", "tone", "clipped", "constant"]),
    seed=st.integers(0, 100),
)
def test_any_finite_audio_gives_finite_vectors_of_unit_length(count, gain, kind, seed):
    rng = np.random.default_rng(seed)
    audio = {
        "noise": rng.standard_normal(count),
        "click": np.eye(1, count, count // 2)[0] if count else np.zeros(0),
        "tone": tone(rng.uniform(30, 900))[:count],
        "clipped": np.sign(rng.standard_normal(count)),
        "constant": np.ones(count),
    }[kind]
    embedding, emotion = ENCODER.encode((gain * audio).astype(np.float32))
    assert np.isfinite(embedding).all()
    assert np.linalg.norm(emotion) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_audio_that_is_not_finite_is_refused(bad):
    audio = np.zeros(16_000, np.float32)
    audio[5] = bad
    with pytest.raises(EncoderError, match="not finite"):
        ENCODER.encode(audio)


def test_the_command_line_lists_it_and_listens_with_it(streamer, session_file):
    listed = streamer("models", "list")
    assert "acoustic" in listed.stdout
    heard = streamer("run", "--input", session_file, "--encoder", "acoustic", "--json")
    assert heard.returncode == 0, heard.stderr
    events = [json.loads(line) for line in heard.stdout.splitlines()]
    assert events[0]["encoder"]["name"] == "acoustic"
    assert sum(event["event"] == "utterance" for event in events) >= 10
