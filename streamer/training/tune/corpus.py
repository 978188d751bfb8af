"""The safeguard of a tuning: speaker-independent UAR of a linear probe on a labelled corpus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from streamer.errors import CorpusError, UnreadableAudio
from streamer.evaluation.corpus import CorpusClip
from streamer.evaluation.dataset import standard_scores
from streamer.evaluation.metrics import uar
from streamer.evaluation.readers import AUTO, read_corpus
from streamer.evaluation.sound import ClipSound
from streamer.learners.source import fit_classes
from streamer.training.tune.tunable import TunableStudent
from streamer.training.tune.writing import vectors_of

MOST_CLIPS: Final = 600
FOLDS: Final = 5


def measure_of(words: str) -> Callable[[TunableStudent], float]:
    """PLACE or PLACE:NAME -> the UAR of a student on that corpus. Raises CorpusError."""
    place, _, name = words.rpartition(":") if not Path(words).exists() else (words, "", AUTO)
    corpus = read_corpus(name or AUTO, Path(place or words))
    named = [clip for clip in corpus.clips if clip.emotion is not None and clip.speaker]
    rng = np.random.default_rng(0)
    kept = [named[i] for i in sorted(rng.permutation(len(named))[:MOST_CLIPS])]
    if len({clip.speaker for clip in kept}) < 2 or len({clip.emotion for clip in kept}) < 2:
        raise CorpusError(
            f"{corpus.name} has clips of {len({c.speaker for c in kept})} speakers in "
            f"{len({c.emotion for c in kept})} emotions: give one with two or more of both"
        )
    audio = _sound(kept)
    return lambda tunable: probe(vectors_of(tunable, audio)[0], kept)


def probe(vectors: np.ndarray, clips: list[CorpusClip]) -> float:
    """UAR over folds of speakers, standard scores by speaker. vectors: [n, d]."""
    speakers = np.array([clip.speaker for clip in clips])
    names = sorted({str(clip.emotion) for clip in clips})
    truth = np.array([names.index(str(clip.emotion)) for clip in clips])
    rows = np.empty_like(vectors)
    order = {name: k % FOLDS for k, name in enumerate(sorted(set(speakers.tolist())))}
    fold = np.array([order[name] for name in speakers])
    for name in order:
        own = speakers == name
        rows[own] = standard_scores(vectors[own], vectors[own])
    said = np.zeros(len(clips), np.intp)
    for k in np.unique(fold):
        weights = fit_classes(rows[fold != k], truth[fold != k])
        outputs = rows[fold == k] @ weights[:-1] + weights[-1]
        said[fold == k] = outputs.argmax(axis=1)
    return uar(said, truth)


def _sound(clips: list[CorpusClip]) -> list[np.ndarray]:
    sound, found = ClipSound(), []
    try:
        for clip in clips:
            found.append(sound.read(clip))
    except UnreadableAudio as error:
        raise CorpusError(f"{error}: get the corpus's archive again") from error
    finally:
        sound.close()
    return found
