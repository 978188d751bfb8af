"""The embedding's map: emphasis of the directions between emotions."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")

from streamer.training.data.speech import Clip
from streamer.training.export.projection import (
    emotion_gain,
    emphasized,
    fit_embedding,
)
from streamer.training.export.publish import Projections, fit_to_embedding

EMOTIONS = ("anger", "happiness", "sadness")
SETTINGS = Projections(embedding_size=8, power=0.15, emphasis=3.0)


def labelled(
    corpus: str, direction: np.ndarray, rng: np.random.Generator
) -> tuple[list[Clip], np.ndarray]:
    """Ten clips of each emotion by four voices; emotions differ along one direction, voices too."""
    clips, rows = [], []
    for voice in range(4):
        room = rng.standard_normal(12)
        for i in range(30):
            clips.append(Clip(corpus, str(i), str(voice), EMOTIONS[i % 3], "", 0, 16_000))
            rows.append(room + (i % 3 - 1) * direction + 0.6 * rng.standard_normal(12))
    return clips, np.array(rows)


def separation(vectors: np.ndarray, clips: list[Clip]) -> float:
    """Variance between emotions over variance within, voices' means taken out, of all dimensions"""
    speakers, emotions = np.array([c.speaker for c in clips]), np.array([c.emotion for c in clips])
    own = vectors - np.array([vectors[speakers == s].mean(0) for s in speakers])
    means = np.array([own[emotions == e].mean(0) for e in emotions])
    return float((means**2).sum() / ((own - means) ** 2).sum())


def test_only_the_directions_between_emotions_are_scaled():
    direction = np.zeros(6)
    direction[2] = 1.0
    emotions = np.array(EMOTIONS * 20)
    place = np.array([EMOTIONS.index(e) - 1 for e in emotions])
    noise = np.zeros((60, 6))
    noise[:, 0] = np.repeat(np.random.default_rng(0).standard_normal(20), 3)
    gain = emotion_gain(place[:, None] * direction + noise, emotions, np.full(60, "a"), 3.0)
    np.testing.assert_allclose(gain @ direction, 4.0 * direction, atol=1e-9)
    np.testing.assert_allclose(gain @ np.eye(6)[0], np.eye(6)[0], atol=1e-9)
    np.testing.assert_allclose(gain, gain.T, atol=1e-12)


def test_a_corpus_that_was_not_seen_gains_and_variances_stay_one():
    rng = np.random.default_rng(1)
    direction = 0.5 * rng.standard_normal(12)
    (known, one), (unseen, other) = (labelled(c, direction, rng) for c in ("ravdess", "nemo"))
    plain = replace(SETTINGS, emphasis=0.0)
    raw, clips = np.concatenate([one, other]), [*known, *unseen]
    maps = [fit_to_embedding(raw, clips, s, frozenset({"nemo"})) for s in (plain, SETTINGS)]
    found = [separation(fitted(other), unseen) for fitted in maps]
    assert found[1] > 2.0 * found[0]
    np.testing.assert_allclose(maps[1](raw).mean(0), 0.0, atol=1e-4)
    np.testing.assert_allclose(maps[1](raw).std(0), 1.0, atol=1e-3)


def test_labels_of_a_corpus_left_out_change_nothing():
    rng = np.random.default_rng(2)
    (known, one), (unseen, other) = (
        labelled(c, 0.5 * rng.standard_normal(12), rng) for c in ("ravdess", "nemo")
    )
    raw = np.concatenate([one, other])
    shuffled = rng.permutation([c.emotion for c in unseen])
    renamed = [replace(c, emotion=str(e)) for c, e in zip(unseen, shuffled, strict=True)]
    left_out, in_it = (
        [fit_to_embedding(raw, [*known, *rows], SETTINGS, without) for rows in (unseen, renamed)]
        for without in (frozenset({"nemo"}), frozenset[str]())
    )
    np.testing.assert_array_equal(left_out[0].matrix, left_out[1].matrix)
    assert not np.allclose(in_it[0].matrix, in_it[1].matrix)


def test_a_gain_of_one_is_a_rotation():
    rng = np.random.default_rng(3)
    raw, weights = rng.standard_normal((400, 12)), np.ones(400)
    embedding = fit_embedding(raw, weights, 8, 0.15, rng)
    rotated = emphasized(embedding, np.eye(8), raw, weights, rng)(raw)
    lengths = [np.linalg.norm(x[:-1] - x[1:], axis=1) for x in (embedding(raw), rotated)]
    assert np.corrcoef(*lengths)[0, 1] > 0.99
