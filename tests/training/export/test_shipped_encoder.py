"""The encoders in models/: what the manifest says of them holds."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

ort = pytest.importorskip("onnxruntime")

MODELS = Path(__file__).parents[3] / "models"


ROWS = tomllib.loads((MODELS / "manifest.toml").read_text("utf-8"))["encoder"]


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row["name"])
def row(request) -> dict:
    return request.param


@pytest.fixture(scope="module")
def session(row):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(MODELS / row["file"]), options, ["CPUExecutionProvider"])


def voice(samples: int, seed: int) -> np.ndarray:
    """Something like a voice: a wobbling harmonic tone in noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / 16_000
    phase = 2 * np.pi * ((110 + 40 * seed) * time_s + 3 * np.sin(2 * np.pi * 2 * time_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_s)
    return (0.1 * loud * tone + 0.003 * rng.standard_normal(samples)).astype(np.float32)


def run(session, *clips: np.ndarray, samples: int | None = None) -> list[np.ndarray]:
    audio = np.zeros((len(clips), samples or max(len(c) for c in clips)), np.float32)
    for place, clip in zip(audio, clips, strict=True):
        place[: len(clip)] = clip
    return session.run(["embedding", "emotion"], {"audio": audio})


def test_files_are_those_of_the_manifest(row):
    for file, digest in ((row["file"], "sha256"), (row["prior"], "prior_sha256")):
        assert hashlib.sha256((MODELS / file).read_bytes()).hexdigest() == row[digest]
    assert (MODELS / row["file"]).stat().st_size == row["size_bytes"] <= 12_000_000


def test_prior_fits_the_encoder(row):
    with np.load(MODELS / row["prior"], allow_pickle=False) as prior:
        d, e = row["embedding_size"], row["emotion_size"]
        numbers = [prior[name] for name in prior.files if prior[name].dtype.kind == "f"]
        assert all(np.isfinite(values).all() for values in numbers)
        shapes = {name: prior[name].shape for name in prior.files}
    for name, shape in (("embedding_mean", (d,)), ("emotion_mean", (e,)), ("weights", (d, 3))):
        assert shapes[name] == shape


@pytest.mark.parametrize("samples", [1_600, 5_000, 48_000, 480_000])
def test_any_length_gives_finite_vectors_and_unit_emotion(row, session, samples):
    embedding, emotion = run(session, voice(samples, 1))
    assert embedding.shape == (1, row["embedding_size"])
    assert emotion.shape == (1, row["emotion_size"])
    assert np.isfinite(embedding).all()
    np.testing.assert_allclose(np.linalg.norm(emotion, axis=1), 1.0, atol=1e-5)


def test_alone_padded_and_in_a_batch_are_the_same(session):
    clips = [voice(samples, seed) for seed, samples in enumerate((1_600, 7_333, 24_000, 50_001))]
    together = run(session, *clips)
    for i, clip in enumerate(clips):
        alone, padded = run(session, clip), run(session, clip, samples=80_000)
        for a, p, b in zip(alone, padded, together, strict=True):
            np.testing.assert_allclose(a, p, atol=1e-4)
            np.testing.assert_allclose(a[0], b[i], atol=1e-4)


def test_silence_is_finite(session):
    for out in run(session, np.zeros(16_000, np.float32)):
        assert np.isfinite(out).all()


@pytest.mark.parametrize("change", [lambda x: 0.01 * x, lambda x: x + 0.1, lambda x: 0.5 * x - 0.2])
def test_gain_and_offset_change_nothing(row, session, change):
    if row["name"] == "streamer-small":
        pytest.skip("streamer-small stands on log-mel, whose lowest bands hear an offset")
    for a, b in zip(
        run(session, voice(40_000, 2)), run(session, change(voice(40_000, 2))), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-2)


def test_one_default():
    assert [row.get("default", False) for row in ROWS].count(True) == 1


def test_different_voices_differ(session):
    embedding, _ = run(session, voice(32_000, 1), voice(32_000, 4))
    assert np.abs(embedding[0] - embedding[1]).max() > 0.1
