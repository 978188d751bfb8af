from pathlib import Path

import numpy as np
import pytest

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip, Fault
from streamer.evaluation.scales import Rating
from tests.evaluation.corpora import clip, corpus_of

CLIPS = (
    CorpusClip("a", "ann", "s1", "angry", "ang", affect=Rating(0.5, None, -1.0),
               answers=(Answer("1", "angry"), Answer("2", "sad"), Answer("3", None))),
    CorpusClip("b", "", "s2", None, "xxx", answers=(Answer("", "sad"), Answer("", "sad"))),
    CorpusClip("c", "ben", "", "sad"),
)  # fmt: skip


def test_labels_as_arrays():
    corpus = corpus_of(*CLIPS)
    np.testing.assert_array_equal(
        corpus.affect(), [[0.5, np.nan, -1.0], [np.nan] * 3, [np.nan] * 3]
    )
    assert corpus.classes(["sad", "angry"]).tolist() == [1, -1, 0]
    assert corpus.classes(["angry"]).tolist() == [0, -1, -1]
    assert corpus.votes(["angry", "sad"]).tolist() == [[1, 1], [0, 2], [0, 0]]
    assert corpus.speakers == ["ann", "ben"]
    assert corpus.sessions == ["s1", "s2"]
    assert corpus.emotions == ["angry", "sad"]
    assert corpus_of().affect().shape == (0, 3)


def test_taking_some_takes_their_features():
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    corpus = Corpus("made", Path("nowhere"), CLIPS, features=features, feature_names=("x", "y"))
    some = corpus.take([2, 0])
    assert [one.utterance for one in some.clips] == ["c", "a"]
    np.testing.assert_array_equal(some.features, features[[2, 0]])
    assert len(corpus.take([])) == 0


def test_names_are_unique_and_features_fit():
    with pytest.raises(CorpusError, match="'u1' is there 2 times"):
        corpus_of(clip(1, "ann"), clip(1, "ben"))
    with pytest.raises(CorpusError, match="1 rows of features for 3 clips"):
        Corpus("made", Path("nowhere"), CLIPS, features=np.zeros((1, 2), np.float32))


def test_the_summary_hides_nothing():
    faults = (Fault("x.wav", "a broken file"), Fault("y.wav", "a broken file"))
    text = Corpus("made", Path("nowhere"), CLIPS, faults).summary()
    assert text == (
        "made: 3 clips, 2 speakers, 2 emotions; 1 without a usable emotion (xxx: 1); "
        "2 at fault (a broken file: 2)"
    )
