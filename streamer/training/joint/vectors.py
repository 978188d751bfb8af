"""Emotion vectors of a profile's enrolled clips and of a labelled corpus, centred by voice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.embedding import Encoder, embed
from streamer.evaluation.emotions import common_emotion
from streamer.evaluation.readers import AUTO, read_corpus
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.training.joint.head import FEWEST_CLIPS, NamedVectors


def enrolled_vectors(profile: Profile) -> NamedVectors:
    """Every enrolled or named clip of the emotions that have enough of them.

    Raises UsageError for fewer than two such emotions.
    """
    usual = ProfileModel(profile).model.usual_emotion.mean
    rows: list[np.ndarray] = []
    names: list[str] = []
    for name, vectors in profile.emotions.enrolled().items():
        if len(vectors) >= FEWEST_CLIPS:
            rows.extend(vectors - usual)
            names.extend([common_emotion(name) or name] * len(vectors))
    if len(set(names)) < 2:
        raise UsageError(
            f"{len(set(names))} emotions with {FEWEST_CLIPS} clips or more are enrolled, a head "
            "needs 2: enroll more with `streamer enroll`"
        )
    return NamedVectors(np.array(rows), names)


def corpus_vectors(words: str, encoder: Encoder, cache: Path) -> NamedVectors:
    """PLACE or PLACE:NAME, embedded; clips with an emotion of known speakers.

    cache: a folder for the vectors while they are made, deleted at the end. Raises CorpusError.
    """
    place, _, name = (words, "", AUTO) if Path(words).exists() else words.rpartition(":")
    corpus = read_corpus(name or AUTO, Path(place))
    named = [i for i, c in enumerate(corpus.clips) if c.emotion is not None and c.speaker]
    found = embed(corpus.take(named), lambda: encoder, cache)
    shutil.rmtree(cache, ignore_errors=True)
    vectors = found.emotion.astype(np.float64)
    voices = [clip.speaker for clip in found.corpus.clips]
    for voice in set(voices):
        own = np.array([v == voice for v in voices])
        vectors[own] -= vectors[own].mean(axis=0)
    emotions = [str(clip.emotion) for clip in found.corpus.clips]
    if len(set(voices)) < 2 or len(set(emotions)) < 2:
        raise CorpusError(
            f"{corpus.name} has {len(set(voices))} speakers in {len(set(emotions))} emotions: "
            "give one with two or more of both"
        )
    return NamedVectors(vectors, emotions, voices)
