"""What every reader offers: a name, the layout it looks for, a quick check, and the reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.evaluation.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Reader:
    """A corpus's reader.

    layout: one line, how the folder looks as its owner ships it. fits: whether a folder looks so,
    given the folder and some of its audio files (paths within it); it is quick.
    read: the corpus. Raises CorpusError where the folder is not laid out so.
    """

    name: str
    title: str
    layout: str
    fits: Callable[[Path, Sequence[Path]], bool]
    read: Callable[[Path], Corpus]


def share(paths: Sequence[Path], matches: Callable[[Path], bool]) -> float:
    """The part of the paths that match, in [0, 1]; 0 where there is no path."""
    return sum(matches(path) for path in paths) / len(paths) if paths else 0.0
