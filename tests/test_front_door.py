"""What `import streamer` gives: names that load when used, in plain types, with typed errors."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

import streamer
from streamer.errors import EncoderError, UnreadableAudio, UsageError
from streamer.testing import synthetic_speech

HEAVY = {
    "numpy", "onnxruntime", "pydantic", "river", "scipy", "sounddevice", "soundfile", "sqlite3",
}  # fmt: skip


def fresh(code: str) -> str:
    """What a new interpreter prints, without this one's path tricks."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def encoder():
    return streamer.load_encoder("acoustic")


def speech(manner="angry", seconds=1.0, seed=0):
    return synthetic_speech(np.random.default_rng(seed), manner, seconds)


def test_importing_it_loads_nothing_and_takes_no_time():
    loaded = fresh("import streamer, sys; print(*sys.modules)").split()
    assert not {name.split(".")[0] for name in loaded} & HEAVY
    assert [name for name in loaded if name.startswith("streamer")] == ["streamer"]
    timed = "import time; a = time.perf_counter(); import streamer; print(time.perf_counter() - a)"
    assert min(float(fresh(timed)) for _ in range(3)) < 0.15


@pytest.mark.parametrize("name", streamer.__all__)
def test_every_name_is_there_and_listed(name):
    assert getattr(streamer, name) is getattr(streamer, name)
    assert name in dir(streamer)
    if name not in ("__version__", "errors", "events"):
        assert getattr(streamer, name).__doc__


def test_names_are_sorted_and_nothing_else_is_there():
    assert list(streamer.__all__) == sorted(streamer.__all__)
    with pytest.raises(AttributeError, match="module 'streamer' has no attribute 'Loops'"):
        streamer.Loops  # noqa: B018


def test_it_says_that_it_is_typed():
    assert (Path(streamer.__file__).parent / "py.typed").is_file()


def test_an_encoder_is_called_with_sound_at_any_rate(encoder):
    audio = speech()
    plain = encoder(audio, 16_000)
    assert plain.embedding.dtype == plain.emotion.dtype == np.float32
    assert plain.embedding.shape == (encoder.embedding_size,)
    assert float(np.linalg.norm(plain.emotion)) == pytest.approx(1.0, abs=1e-5)
    # The same sound at 48 kHz, resampled by another library, is nearly the same to the encoder.
    faster = encoder(resample_poly(audio.astype(np.float64), 3, 1), 48_000)
    other = encoder(speech("sad", seed=5), 16_000)
    near = np.linalg.norm(faster.emotion - plain.emotion)
    assert near < 0.25 * np.linalg.norm(other.emotion - plain.emotion)


def test_at_the_encoders_own_rate_it_is_what_run_computes():
    product = streamer.load_encoder()
    audio = speech()
    embedding, emotion = product._encoder.encode(audio)
    called = product(audio, 16_000)
    assert called.embedding.tobytes() == embedding.tobytes()
    assert called.emotion.tobytes() == emotion.tobytes()
    assert len(product.sha256) == 64
    assert product.name in repr(product)


@pytest.mark.parametrize(
    ("audio", "rate_hz", "message"),
    [
        (np.zeros(100, np.int16), 16_000, "is of int16: .* 32768"),
        (np.zeros((100, 2), np.float32), 16_000, r"shape \[100, 2\]: give one channel"),
        (np.float32(0.5), 16_000, r"shape \[\]"),
        (np.zeros(0, np.float32), 16_000, "is empty"),
        ([0.0, float("nan")], 16_000, "not finite"),
        ([0.0, float("inf")], 16_000, "not finite"),
        ([0.0, 300.0], 16_000, r"reaches 300: give it in \[-1, 1\]"),
        (["a"], 16_000, "is of <U1"),
        (np.zeros(100), 44_100.0, "a sample rate of 44100.0"),
        (np.zeros(100), "cd", "a sample rate of 'cd'"),
    ],
)
def test_audio_that_cannot_be_meant_is_refused_with_a_remedy(encoder, audio, rate_hz, message):
    with pytest.raises(UsageError, match=message) as refused:
        encoder(audio, rate_hz)
    assert "\n" not in str(refused.value)


def test_a_rate_out_of_range_is_an_error_of_the_audio(encoder):
    with pytest.raises(UnreadableAudio, match="sample rate of 12 Hz"):
        encoder(np.zeros(100), 12)


def test_a_little_over_full_scale_is_taken(encoder):
    audio = speech()
    loud = audio / np.abs(audio).max() * 1.05
    assert np.isfinite(encoder(loud, 16_000).embedding).all()


def test_encoders_come_by_name_or_from_a_folder(tmp_path):
    models = Path(streamer.__file__).parents[1] / "models"
    assert streamer.load_encoder(models).sha256 == streamer.load_encoder().sha256
    assert streamer.load_encoder(f"{models}/").name == streamer.load_encoder(models).name
    with pytest.raises(EncoderError, match="no encoder 'nobody' in the manifest; known:"):
        streamer.load_encoder("nobody")
    with pytest.raises(EncoderError, match="no models manifest"):
        streamer.load_encoder(tmp_path)
    (tmp_path / "manifest.toml").write_text("")
    with pytest.raises(EncoderError, match="holds these encoders: none"):
        streamer.load_encoder(tmp_path)


def test_a_voice_is_learned_in_a_few_lines(encoder):
    model = streamer.OnlineModel(encoder)
    angry = [encoder(speech("angry", seed=s), 16_000) for s in range(4)]
    sad = [encoder(speech("sad", seed=s), 16_000) for s in range(4)]
    for encoding in (*angry, *sad):
        model.adapt(encoding)
    for one, other in zip(angry[:3], sad[:3], strict=True):
        model.learn(one, valence=-0.5, arousal=0.8)
        model.learn(other, valence=-0.5, arousal=-0.6)
    high, low = model.predict(angry[3]).arousal, model.predict(sad[3]).arousal
    assert high.low <= high.mean <= high.high
    assert high.mean > low.mean
    model.enroll("anger", angry[:3])
    model.enroll("sadness", sad[:3])
    assert model.verdict(angry[3]).distances["anger"] < model.verdict(angry[3]).distances["sadness"]
    assert model.labels == 6


def test_a_learner_may_be_a_class(encoder):
    from river.linear_model import BayesianLinearRegression

    model = streamer.OnlineModel(encoder, BayesianLinearRegression)
    encoding = encoder(speech(), 16_000)
    model.learn(encoding, valence=0.5, arousal=0.5)
    assert model.predict(encoding).valence.mean > 0.0
    with pytest.raises(UsageError, match="no learner"):
        streamer.OnlineModel(encoder, "bayes")
