"""The head tuned jointly: microphones brought together, nothing lost, shuffled names refused."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")

from streamer.encoders.onnx import OnnxEncoder  # noqa: E402
from streamer.encoders.registry import find_encoder, load_prior, verify_files  # noqa: E402
from streamer.errors import UsageError  # noqa: E402
from streamer.training.joint.head import (  # noqa: E402
    HeadTuning,
    NamedVectors,
    judge_head,
    tune_head,
)
from streamer.training.joint.vectors import enrolled_vectors  # noqa: E402
from streamer.training.joint.write_head import write_head  # noqa: E402
from tests.support import bound_profile  # noqa: E402
from tests.training.synthetic_clips import voice  # noqa: E402

NAMES = ("angry", "happy", "sad")
QUICK = HeadTuning(steps=250, rate=5e-3, anchor=0.02)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def two_microphones(seed: int = 0) -> tuple[NamedVectors, NamedVectors]:
    """Emotions along three directions, which the second microphone turns and drowns in another."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((12, 12)))[0]

    def clips(each: int, colour: np.ndarray, tilt: float) -> tuple[np.ndarray, list[str]]:
        rows, names = [], []
        for k, name in enumerate(NAMES):
            centre = axes[k] + tilt * axes[3 + k]
            noise = 0.2 * rng.standard_normal((each, 12))
            rows.append(centre + noise + colour * rng.standard_normal((each, 1)))
            names += [name] * each
        return unit(np.concatenate(rows)), names

    rich, rich_names = clips(40, 0.2 * axes[8], 0.0)
    own, own_names = clips(10, 1.5 * axes[9], 0.7)
    voices = [f"v{k % 6}" for k in range(len(rich_names))]
    return NamedVectors(rich, rich_names, voices), NamedVectors(own, own_names)


def apart(matrix: np.ndarray, rich: NamedVectors, own: NamedVectors) -> float:
    """Mean distance between clips of one emotion on the two microphones."""
    one, other = unit(rich.vectors @ matrix.T), unit(own.vectors @ matrix.T)
    same = np.array([[a == b for b in own.emotions] for a in rich.emotions])
    return float((1.0 - one @ other.T)[same].mean())


def test_one_emotion_on_two_microphones_comes_together():
    rich, own = two_microphones()
    matrix = tune_head(rich, own, QUICK)
    assert apart(matrix, rich, own) < 0.8 * apart(np.eye(12), rich, own)


def test_the_gate_keeps_what_helps_and_refuses_shuffled_names():
    rich, own = two_microphones()
    found = judge_head(rich, own, QUICK)
    assert found.keeps, str(found)
    assert found.eer[1] < found.eer[0]
    assert found.recall[1] >= found.recall[0] - 0.01
    rng = np.random.default_rng(1)
    shuffled = NamedVectors(own.vectors, [str(n) for n in rng.permutation(own.emotions)])
    assert not judge_head(rich, shuffled, QUICK).keeps


def test_an_anchor_holds_the_map():
    rich, own = two_microphones()
    matrix = tune_head(rich, own, HeadTuning(steps=60, rate=5e-3, anchor=1e4))
    np.testing.assert_allclose(matrix, np.eye(12), atol=0.05)


def test_names_of_one_s_own_are_learned_too():
    rich, own = two_microphones()
    own = NamedVectors(own.vectors, [{"angry": "teasing"}.get(n, n) for n in own.emotions])
    found = judge_head(rich, own, HeadTuning(steps=120, rate=5e-3, anchor=0.02))
    assert np.isfinite(found.eer).all()


def test_the_written_encoder_is_the_old_one_with_the_map_after_it(tmp_path):
    rng = np.random.default_rng(0)
    shipped = find_encoder("streamer-small")
    size = shipped.emotion_size
    matrix = np.eye(size) + 0.1 * rng.standard_normal((size, size))
    write_head(shipped, matrix, tmp_path, "headed")
    row = find_encoder("headed", tmp_path)
    verify_files(row)
    audio = voice(1.0, 3)
    before, after = OnnxEncoder(shipped).encode(audio), OnnxEncoder(row).encode(audio)
    np.testing.assert_allclose(after[0], before[0], atol=1e-3)
    turned = matrix @ before[1].astype(np.float64)
    np.testing.assert_allclose(after[1], turned / np.linalg.norm(turned), atol=2e-3)
    mean = load_prior(row).emotion_mean
    assert np.linalg.norm(mean) == pytest.approx(
        np.linalg.norm(load_prior(shipped).emotion_mean), abs=1e-5
    )


def test_enrolled_clips_are_centred_by_the_voice(tmp_path):
    profile = bound_profile(tmp_path / "profile")
    with pytest.raises(UsageError, match="0 emotions with 4 clips or more"):
        enrolled_vectors(profile)
    rng = np.random.default_rng(0)
    for name in ("joy", "teasing"):
        for _ in range(4):
            profile.emotions.enroll(name, rng.standard_normal(4).astype(np.float32), "x", None, 0.0)
    found = enrolled_vectors(profile)
    assert found.emotions == ["happy"] * 4 + ["teasing"] * 4
    usual = profile.prior().emotion_mean
    stored = profile.emotions.enrolled()["joy"]
    np.testing.assert_allclose(found.vectors[:4], stored - usual, atol=1e-9)
    profile.close()
