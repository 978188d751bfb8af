"""The interface of a corpus reader: name, expected layout, a quick check, and reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.evaluation.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Reader:
    """A corpus's reader.

    layout: the original layout in one line. fits: a quick check of the layout, given the folder and
    some of its audio files (paths within it). read: the corpus; raises CorpusError for another
    layout.
    """

    name: str
    title: str
    layout: str
    fits: Callable[[Path, Sequence[Path]], bool]
    read: Callable[[Path], Corpus]


def share(paths: Sequence[Path], matches: Callable[[Path], bool]) -> float:
    """The fraction of the paths that match, in [0, 1]; 0 without paths."""
    return sum(matches(path) for path in paths) / len(paths) if paths else 0.0
