"""The fit of the map between two encoders, against scikit-learn's ridge."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from streamer.training.export.vector_map import fit_map


def tables(noise: float, voices: int = 6, clips: int = 40):
    rng = np.random.default_rng(1)
    names = np.repeat([f"v{n}" for n in range(voices)], clips)
    embedding = rng.normal(size=(len(names), 5)) + np.repeat(rng.normal(size=(voices, 5)), clips, 0)
    emotion = rng.normal(size=(len(names), 3))
    both = np.hstack([embedding, emotion])
    target = both @ rng.normal(size=(8, 6)) + 0.5 + noise * rng.normal(size=(len(names), 6))
    return ("a" * 64, embedding, emotion), ("b" * 64, target[:, :4], target[:, 4:]), list(names)


def test_it_is_the_ridge_of_all_clips() -> None:
    source, target, voices = tables(1.0)
    found = fit_map(source, target, voices, [0.1])
    inputs, outputs = np.hstack(source[1:]), np.hstack(target[1:])
    strength = 0.1 * ((inputs - inputs.mean(0)) ** 2).sum() / 8
    ridge = Ridge(alpha=strength).fit(inputs, outputs)
    np.testing.assert_allclose(found.weights[:-1].T, ridge.coef_, atol=1e-9)
    np.testing.assert_allclose(found.weights[-1], ridge.intercept_, atol=1e-9)
    assert found.embedding_size == 4


def test_what_it_says_of_itself_is_of_voices_left_out() -> None:
    exact, noisy = (fit_map(*tables(noise)) for noise in (0.0, 3.0))
    assert exact.explained > 0.9999
    assert exact.cosine > 0.9999
    assert noisy.explained < 0.7
    source, target, voices = tables(3.0)
    rng = np.random.default_rng(2)
    unrelated = rng.normal(size=target[1].shape), rng.normal(size=target[2].shape)
    none = fit_map(source, ("c" * 64, *unrelated), voices)
    assert none.explained == pytest.approx(0.0, abs=0.05)
