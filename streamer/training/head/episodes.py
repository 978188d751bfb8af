"""Episodes: equally many examples of every emotion, spread over corpora and speakers.

Labels are matched between corpora by name; corpora whose labels are levels, not emotions, are
excluded, and so are speakers with a single emotion, which would be confounded with the voice.
Within an emotion every corpus contributes the same number of examples (plus or minus one), and
within a corpus every speaker; the order is random for every episode.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.training.data.speech import Clip

LEVELS_ONLY = frozenset({"baved"})


def trainable_clips(clips: Sequence[Clip], without: frozenset[str] = frozenset()) -> np.ndarray:
    """Clips to train emotions on: bool [clips]. Emotions named in ``without`` are excluded."""
    heard: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        if clip.emotion and clip.emotion not in without and clip.corpus not in LEVELS_ONLY:
            heard.setdefault((clip.corpus, clip.speaker), set()).add(clip.emotion)
    several = {speaker for speaker, emotions in heard.items() if len(emotions) > 1}
    return np.array(
        [c.emotion not in ("", *without) and (c.corpus, c.speaker) in several for c in clips]
    )


class Episodes:
    """Draws episodes from trainable clips: their indices, int [classes, examples].

    ``classes`` are the emotions in alphabetical order, a row each. An emotion with fewer clips than
    ``examples`` raises ValueError.
    """

    def __init__(self, clips: Sequence[Clip], kept: np.ndarray, examples: int = 10) -> None:
        self.examples = examples
        self.classes = tuple(sorted({clips[i].emotion for i in np.flatnonzero(kept).tolist()}))
        self._pools: dict[str, dict[str, dict[str, list[int]]]] = {c: {} for c in self.classes}
        for i in np.flatnonzero(kept).tolist():
            clip = clips[i]
            speakers = self._pools[clip.emotion].setdefault(clip.corpus, {})
            speakers.setdefault(clip.speaker, []).append(i)
        if len(self.classes) < 2:
            raise ValueError(f"episodes need two emotions or more, not {list(self.classes)}")
        for emotion, corpora in self._pools.items():
            count = sum(len(p) for speakers in corpora.values() for p in speakers.values())
            if count < examples:
                raise ValueError(
                    f"{emotion} has {count} clips, an episode takes {examples}: "
                    "give more, or leave it out"
                )

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        return np.array([self._draw_class(self._pools[c], rng) for c in self.classes])

    def _draw_class(
        self, corpora: dict[str, dict[str, list[int]]], rng: np.random.Generator
    ) -> list[int]:
        of_corpora = [list(speakers.values()) for speakers in corpora.values()]
        sizes = [sum(map(len, speakers)) for speakers in of_corpora]
        drawn: list[int] = []
        for speakers, count in zip(of_corpora, _shared(self.examples, sizes, rng), strict=True):
            for pool, few in zip(
                speakers, _shared(count, [len(p) for p in speakers], rng), strict=True
            ):
                if few:
                    drawn.extend(rng.choice(pool, few, replace=False).tolist())
        return drawn


def _shared(count: int, sizes: list[int], rng: np.random.Generator) -> list[int]:
    """Counts per group, equal plus or minus one, and none above its size."""
    taken = np.zeros(len(sizes), int)
    while count:
        free = rng.permutation(np.flatnonzero(taken < sizes))
        taken[free[:count]] += 1
        count -= min(count, len(free))
    return taken.tolist()
