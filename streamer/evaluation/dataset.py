"""A corpus as arrays: standard scores and labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus, Indices
from streamer.types import DIMENSIONS, Matrix

NORMALIZATIONS: Final = ("pool", "speaker")
_LEAST_DEVIATION: Final = 1e-9
# Standard scores beyond this are more likely faults of the recording.
_FARTHEST: Final = 5.0
# With fewer examples, an emotion's recall on the test side is a matter of chance.
_FEWEST_OF_AN_EMOTION: Final = 20


@dataclass(frozen=True, eq=False)
class Dataset:
    """features: float64 [n, d], standard scores. affect: float64 [n, 3], nan where not rated.

    emotions: [n], None where there is no emotion, or one with too few utterances.
    """

    features: Matrix
    affect: Matrix
    emotions: Sequence[str | None]

    def __post_init__(self) -> None:
        if not len(self.features) == len(self.affect) == len(self.emotions):
            raise CorpusError(
                f"{len(self.features)} rows of features, {len(self.affect)} ratings and "
                f"{len(self.emotions)} emotions; give one of each an utterance"
            )

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def rated(self) -> list[str]:
        """The dimensions that have ratings."""
        return [n for k, n in enumerate(DIMENSIONS) if np.isfinite(self.affect[:, k]).any()]

    @cached_property
    def classes(self) -> list[str]:
        return sorted({name for name in self.emotions if name is not None})

    def labelled(self) -> Indices:
        """Indices of the utterances with any label."""
        named = np.array([name is not None for name in self.emotions], bool)
        return np.flatnonzero(named | np.isfinite(self.affect).any(axis=1))


def dataset_of(corpus: Corpus, pool: Indices, normalization: str = "speaker") -> Dataset:
    """The dataset of a corpus with features, normalized without labels.

    normalization: "speaker" standardizes by each speaker's mean and deviation, as a profile does;
    "pool" by those of the utterances in `pool`, for corpora without speakers. Raises CorpusError
    without features or labels, UsageError for another normalization.
    """
    if corpus.features is None:
        raise CorpusError(f"{corpus.name} has no features yet; embed it with an encoder first")
    if normalization not in NORMALIZATIONS:
        known = ", ".join(NORMALIZATIONS)
        raise UsageError(f"no normalization {normalization!r}; choose one of: {known}")
    raw = corpus.features.astype(np.float64)
    if normalization == "pool":
        features = standard_scores(raw, raw[pool])
    else:
        features = np.empty_like(raw)
        speakers = np.array([clip.speaker for clip in corpus.clips])
        for speaker in np.unique(speakers):
            own = speakers == speaker
            features[own] = standard_scores(raw[own], raw[own])
    names = [clip.emotion for clip in corpus.clips]
    counts = Counter(names)
    emotions = [name if counts[name] >= _FEWEST_OF_AN_EMOTION else None for name in names]
    dataset = Dataset(features, corpus.affect(), emotions)
    if not dataset.rated and len(dataset.classes) < 2:
        raise CorpusError(
            f"{corpus.name} has neither ratings nor two emotions of at least "
            f"{_FEWEST_OF_AN_EMOTION} utterances; nothing can be learned from it"
        )
    return dataset


def standard_scores(values: Matrix, of: Matrix) -> Matrix:
    """(x - mean)/deviation of [n, d] by those of [m, d], within 5 deviations; 0 where constant."""
    deviation = of.std(axis=0)
    constant = deviation < _LEAST_DEVIATION
    scores = (values - of.mean(axis=0)) / np.where(constant, 1.0, deviation)
    return np.asarray(np.clip(np.where(constant, 0.0, scores), -_FARTHEST, _FARTHEST))
