"""Episodes: balanced over classes, corpora and speakers, and nothing that was left out."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.training.data.speech import Clip
from streamer.training.head.episodes import Episodes, trainable_clips


def clip(corpus: str, speaker: str, emotion: str) -> Clip:
    return Clip(corpus, "", speaker, emotion, "", 0, 16_000)


def corpus(name: str, speakers: int, counts: dict[str, int]) -> list[Clip]:
    return [
        clip(name, str(speaker), emotion)
        for speaker in range(speakers)
        for emotion, count in counts.items()
        for _ in range(count)
    ]


LARGE = corpus("large", 5, {"anger": 30, "neutral": 30, "fear": 30})
SMALL = corpus("small", 2, {"anger": 3, "neutral": 3})


def test_levels_single_emotions_and_left_out_ones_are_not_teachable():
    clips = [
        *corpus("baved", 2, {"neutral": 2, "high": 2}),
        *corpus("one", 1, {"anger": 3}),
        *corpus("none", 1, {"": 3}),
        *SMALL,
    ]
    assert trainable_clips(clips).sum() == len(SMALL)
    # Without anger, nobody in the small corpus is heard in two emotions.
    assert not trainable_clips(clips, frozenset({"anger"})).any()
    kept = trainable_clips(LARGE, frozenset({"fear"}))
    assert {c.emotion for c, keep in zip(LARGE, kept, strict=True) if keep} == {"anger", "neutral"}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 10))
def test_corpora_and_speakers_take_turns(seed, examples):
    clips = LARGE + SMALL
    episodes = Episodes(clips, trainable_clips(clips), examples)
    assert episodes.classes == ("anger", "fear", "neutral")
    drawn = episodes.draw(np.random.default_rng(seed))
    assert drawn.shape == (3, examples)
    assert len(np.unique(drawn)) == drawn.size
    for emotion, row in zip(episodes.classes, drawn, strict=True):
        heard = [clips[i] for i in row]
        assert {c.emotion for c in heard} == {emotion}
        corpora = Counter(c.corpus for c in heard)
        if emotion == "fear":
            assert set(corpora) == {"large"}
        else:
            assert abs(corpora["large"] - corpora["small"]) <= 1
        speakers = Counter(c.speaker for c in heard if c.corpus == "large")
        assert max(speakers.values()) - min(speakers.values()) <= 1 or len(speakers) < 5
        assert max(speakers.values()) <= -(-corpora["large"] // 5)


def test_a_corpus_that_runs_out_leaves_the_rest_to_the_others():
    clips = corpus("few", 1, {"anger": 1, "neutral": 1}) + LARGE
    drawn = Episodes(clips, trainable_clips(clips)).draw(np.random.default_rng(0))
    assert Counter(clips[i].corpus for i in drawn[0]) == {"few": 1, "large": 9}


def test_all_clips_are_drawn_in_time_and_the_same_seed_draws_the_same():
    clips = LARGE + SMALL
    episodes = Episodes(clips, trainable_clips(clips))
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    seen: set[int] = set()
    for _ in range(300):
        drawn = episodes.draw(rng)
        np.testing.assert_array_equal(drawn, episodes.draw(again))
        seen |= set(drawn.ravel().tolist())
    assert len(seen) == len(clips)


def test_too_few_emotions_or_clips_are_named():
    with pytest.raises(ValueError, match="two emotions"):
        Episodes(LARGE, np.array([c.emotion == "fear" for c in LARGE]))
    with pytest.raises(ValueError, match=r"anger has 6 clips, an episode takes 10"):
        Episodes(SMALL, trainable_clips(SMALL))
