from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.splits import (
    Split,
    leave_one_session_out,
    predefined_split,
    shared_speakers,
    speaker_folds,
)
from tests.evaluation.corpora import clip, corpus_of

NAMES = st.sampled_from(["", "ann", "ben", "cleo", "dora", "emil"])
ROWS = st.tuples(NAMES, st.sampled_from(["", "s1", "s2", "s3"]), st.sampled_from(["", *"pqrst"]))
CORPORA = st.lists(ROWS, min_size=1, max_size=30).map(
    lambda rows: corpus_of(*(clip(k, *row) for k, row in enumerate(rows)))
)
WAYS: dict[str, Callable[[Corpus], list[Split]]] = {
    "sessions": leave_one_session_out,
    "2 folds": lambda corpus: speaker_folds(corpus, 2, np.random.default_rng(0)),
    "3 folds": lambda corpus: speaker_folds(corpus, 3, np.random.default_rng(1)),
}


@pytest.mark.parametrize("way", WAYS)
@given(corpus=CORPORA)
def test_no_speaker_and_no_samples_are_on_both_sides(way, corpus):
    try:
        splits = WAYS[way](corpus)
    except CorpusError:
        return  # too few that share nothing
    known = [k for k, one in enumerate(corpus.clips) if one.speaker]
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested.tolist()) == known  # each clip is tested on once
    for split in splits:
        assert len(split.train)
        assert len(split.test)
        assert sorted([*split.train.tolist(), *split.test.tolist()]) == known
        train = [corpus.clips[k] for k in split.train]
        test = [corpus.clips[k] for k in split.test]
        assert not {one.speaker for one in train} & {one.speaker for one in test}
        shared = {one.recording for one in train} & {one.recording for one in test}
        assert not shared - {""}
        if way == "sessions":
            assert not ({one.session for one in train} & {one.session for one in test}) - {""}


@given(corpus=CORPORA, seed=st.integers(0, 5))
def test_folds_are_the_same_for_the_same_seed(corpus, seed):
    try:
        first = speaker_folds(corpus, 2, np.random.default_rng(seed))
    except CorpusError:
        return
    again = speaker_folds(corpus, 2, np.random.default_rng(seed))
    assert [s.test.tolist() for s in first] == [s.test.tolist() for s in again]


def test_speakers_who_share_a_recording_stay_together():
    """BAVED has the same recordings under speakers 46 and 53."""
    corpus = corpus_of(
        clip(0, "46", recording="a"), clip(1, "53", recording="a"), clip(2, "53"), clip(3, "7")
    )
    folds = speaker_folds(corpus, 2, np.random.default_rng(0))
    assert sorted(fold.test.tolist() for fold in folds) == [[0, 1, 2], [3]]


def test_folds_are_of_about_the_same_size():
    clips = [clip(k, f"speaker {k % 10}") for k in range(100)]
    folds = speaker_folds(corpus_of(*clips), 5, np.random.default_rng(2))
    assert [len(fold.test) for fold in folds] == [20] * 5


def test_another_seed_makes_other_folds():
    corpus = corpus_of(*(clip(k, f"speaker {k}") for k in range(12)))
    made = {
        tuple(speaker_folds(corpus, 3, np.random.default_rng(seed))[0].test.tolist())
        for seed in range(5)
    }
    assert len(made) > 1


def test_too_few_to_split():
    alone = corpus_of(clip(0, "ann", "s1"), clip(1, "ann", "s2"))
    with pytest.raises(CorpusError, match="make 1 sessions"):
        leave_one_session_out(alone)
    with pytest.raises(CorpusError, match="has no sessions"):
        leave_one_session_out(corpus_of(clip(0, "ann"), clip(1, "ben")))
    with pytest.raises(CorpusError, match="1 independent speakers"):
        speaker_folds(alone, 2, np.random.default_rng(0))
    with pytest.raises(UsageError, match="at least 2"):
        speaker_folds(alone, 1, np.random.default_rng(0))


def test_own_parts_lose_what_a_later_part_holds_too():
    corpus = corpus_of(
        clip(0, "ann", recording="a", split="train"),
        clip(1, "ann", recording="b", split="train"),
        clip(2, "ben", recording="a", split="validation"),
        clip(3, "ann", recording="c", split="test1"),
        clip(4, "cleo", recording="d", split="test2"),
        clip(5, "cleo", recording="c", split="train"),
    )
    split = predefined_split(corpus, "test1")
    assert split.train.tolist() == [1]
    assert split.test.tolist() == [3]
    assert shared_speakers(corpus, split) == ["ann"]
    with pytest.raises(CorpusError, match="no part 'test' of its own; it has: test1, test2, train"):
        predefined_split(corpus)
    with pytest.raises(CorpusError, match="it has: none"):
        predefined_split(corpus_of(clip(0, "ann")))
