from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.evaluation.dataset import Dataset, dataset_of, standard_scores
from streamer.evaluation.scales import Rating


def corpus(count: int = 60) -> Corpus:
    rng = np.random.default_rng(0)
    clips = tuple(
        CorpusClip(
            f"u{k}",
            speaker="ab"[k % 2],
            emotion=("happy", "sad", "angry")[k % 3] if k < count - 1 else "bored",
            affect=Rating(valence=0.1 * (k % 5), arousal=None),
        )
        for k in range(count)
    )
    features = rng.normal(size=(count, 4)).astype(np.float32)
    features[::2] = 3.0 * features[::2] + 10.0
    features[:, 3] = 7.0
    return Corpus("made", Path(), clips, features=features)


def test_each_speaker_has_scores_of_their_own():
    features = dataset_of(corpus(), np.arange(60), "speaker").features
    for start in (0, 1):
        assert features[start::2, :3].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
        assert features[start::2, :3].std(axis=0) == pytest.approx(np.ones(3), abs=1e-6)


def test_the_pool_alone_gives_the_scale():
    found = dataset_of(corpus(), np.arange(10), "pool").features
    assert found[:10, :3].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
    assert abs(found[10:, :3].mean()) > 1e-3


def test_constant_features_are_0_and_outliers_are_held_back():
    values = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1e6]])
    scores = standard_scores(values, values[:2])
    assert (scores[:, 0] == 0.0).all()
    assert scores[2, 1] == 5.0


def test_rare_emotions_are_not_learned():
    dataset = dataset_of(corpus(), np.arange(60))
    assert dataset.emotions[-1] is None
    assert dataset.classes == ["happy", "sad"]  # one of the twenty angry ones is bored


def test_what_is_rated_and_labelled():
    dataset = Dataset(
        np.zeros((3, 2)),
        np.array([[0.5, np.nan, np.nan]] + 2 * [[np.nan] * 3]),
        [None, None, "sad"],
    )
    assert dataset.rated == ["valence"]
    assert dataset.labelled().tolist() == [0, 2]


def test_a_corpus_without_features_or_labels_is_refused():
    with pytest.raises(CorpusError, match="no features"):
        dataset_of(replace(corpus(), features=None), np.arange(60))
    bare = replace(corpus(), clips=tuple(CorpusClip(f"u{k}", "a") for k in range(60)))
    with pytest.raises(CorpusError, match="nothing can be learned"):
        dataset_of(bare, np.arange(60))
    with pytest.raises(UsageError, match="pool, speaker"):
        dataset_of(corpus(), np.arange(60), "session")
    with pytest.raises(CorpusError, match="2 rows"):
        Dataset(np.zeros((2, 2)), np.zeros((3, 3)), [None] * 3)
