"""Splits of a corpus into training and test sides without shared speakers.

Clips are linked where they have the same speaker, or hold the same samples (RAVDESS and BAVED ship
some recordings twice, BAVED under two speakers' names). Linked clips, also indirectly linked ones,
stay on one side. A clip of an unknown speaker could be anyone's and is on neither side.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus, CorpusClip, Indices

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Indices of clips, ascending, on one side each. name: what is tested on."""

    name: str
    train: Indices
    test: Indices


def leave_one_session_out(corpus: Corpus) -> list[Split]:
    """One split per session; sessions that share a speaker or samples count as one.

    Raises CorpusError where the corpus has no sessions, or all are linked.
    """
    if not corpus.sessions:
        raise CorpusError(f"{corpus.name} has no sessions: leave speakers out instead")
    groups = linked(corpus, (lambda clip: clip.session,))
    count = int(groups.max(initial=-1)) + 1
    if count < 2:
        raise CorpusError(
            f"{corpus.name}: its clips make {count} sessions that share no speaker and no samples; "
            "take another split"
        )
    return [_split(_sessions(corpus, groups == k), groups, k) for k in range(count)]


def speaker_folds(corpus: Corpus, folds: int, rng: np.random.Generator) -> list[Split]:
    """Folds of whole speakers with about equal numbers of clips; each is tested on once.

    Raises UsageError for fewer than 2 folds, CorpusError where there are fewer speakers.
    """
    if folds < 2:
        raise UsageError(f"{folds} folds: give at least 2")
    groups = linked(corpus)
    names, sizes = np.unique(groups[groups >= 0], return_counts=True)
    if len(names) < folds:
        raise CorpusError(
            f"{corpus.name} has {len(names)} independent speakers: use at most as many folds"
        )
    # Largest first into the emptiest fold; the shuffle decides among equals.
    order = rng.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of_group = np.empty(len(names), np.intp)
    filled = np.zeros(folds)
    for group in order:
        fold_of_group[group] = np.argmin(filled)
        filled[fold_of_group[group]] += sizes[group]
    fold_of_clip = np.where(groups >= 0, fold_of_group[groups], -1)
    return [_split(f"fold {fold + 1}", fold_of_clip, fold) for fold in range(folds)]


def predefined_split(corpus: Corpus, test: str = TEST) -> Split:
    """The predefined split of the corpus; see `shared_speakers` for whether its parts share any.

    test: the name of the part to test on (MSP-Podcast has test1, test2, ...). A clip whose
    samples are also in a later part (train, validation, test) is left out of the earlier one.
    Raises CorpusError where the corpus has no such parts, UsageError for the train part.
    """
    if test == TRAIN:
        raise UsageError(f"the part {TRAIN!r} is for learning: name another part to test on")
    parts = np.array([clip.split for clip in corpus.clips])
    missing = [part for part in (TRAIN, test) if part not in parts]
    if missing:
        there = ", ".join(sorted(set(parts.tolist()) - {""})) or "none"
        raise CorpusError(f"{corpus.name} has no part {missing[0]!r} of its own; it has: {there}")
    held_out = _recordings(corpus, parts == test)
    held_out |= _recordings(corpus, parts == VALIDATION)
    return Split(test, _without(corpus, parts == TRAIN, held_out), np.flatnonzero(parts == test))


def shared_speakers(corpus: Corpus, split: Split) -> list[str]:
    """The known speakers that are on both sides."""
    train = {corpus.clips[i].speaker for i in split.train}
    test = {corpus.clips[i].speaker for i in split.test}
    return sorted((train & test) - {""})


def linked(corpus: Corpus, also: Sequence[Callable[[CorpusClip], str]] = ()) -> Indices:
    """The group of each clip: int [clips], counted from 0; -1 where the speaker is unknown.

    also: what links clips besides speaker and samples; "" links nothing.
    """
    keys = (lambda clip: clip.speaker, lambda clip: clip.recording, *also)
    parent = list(range(len(corpus)))
    for kind, key in enumerate(keys):
        first: dict[Hashable, int] = {}
        for i, clip in enumerate(corpus.clips):
            value = key(clip)
            # Samples shared with a clip of an unknown speaker say nothing about the others.
            if value and clip.speaker:
                _join(parent, first.setdefault((kind, value), i), i)
    roots = [_root(parent, i) if c.speaker else -1 for i, c in enumerate(corpus.clips)]
    number = {root: k for k, root in enumerate(dict.fromkeys(r for r in roots if r >= 0))}
    return np.array([number.get(root, -1) for root in roots], np.intp)


def _sessions(corpus: Corpus, mask: Iterable[bool]) -> str:
    names = {clip.session for clip, inside in zip(corpus.clips, mask, strict=True) if inside}
    return f"session {'+'.join(sorted(names))}"


def _split(name: str, groups: Indices, tested: int) -> Split:
    return Split(
        name, np.flatnonzero((groups >= 0) & (groups != tested)), np.flatnonzero(groups == tested)
    )


def _recordings(corpus: Corpus, mask: Iterable[bool]) -> set[str]:
    found = {clip.recording for clip, inside in zip(corpus.clips, mask, strict=True) if inside}
    return found - {""}


def _without(corpus: Corpus, mask: Iterable[bool], recordings: set[str]) -> Indices:
    kept = [
        i
        for i, (clip, inside) in enumerate(zip(corpus.clips, mask, strict=True))
        if inside and clip.recording not in recordings
    ]
    return np.array(kept, np.intp)


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _join(parent: list[int], i: int, j: int) -> None:
    parent[_root(parent, j)] = _root(parent, i)
