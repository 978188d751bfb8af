"""The embeddings of a corpus by one encoder, on disk and in memory.

An npz without pickle, one row per clip. The key combines the encoder's sha256, and of each clip the
content of its file and its position in it, so that another encoder, another selection or a changed
file has another cache, and a corpus that was moved or renamed has the same.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.duplicates import SKETCH_SIZE
from streamer.system import make_private_folder
from streamer.types import Samples

_TO_DO, _DONE, _UNREADABLE = 0, 1, 2
# Raise it whenever what is computed of a clip beside the encoder's vectors changes.
_VERSION: Final = "2"


@dataclass(frozen=True, slots=True)
class CacheRow:
    """The result of one clip: vectors and length in samples, or the error."""

    at: int
    embedding: Samples
    emotion: Samples
    sketch: Samples
    length: int
    problem: str = ""


class EmbeddingCache:
    """One row per clip. Created by `open`, used within `kept_up`."""

    def __init__(self, path: Path, arrays: dict[str, Any]) -> None:
        self.path = path
        self._arrays = arrays
        self._saved = self.through

    @classmethod
    def open(
        cls, folder: Path, corpus: Corpus, encoder: str, sha256: str, sizes: tuple[int, int]
    ) -> "EmbeddingCache":
        """The cache of a corpus in a folder; empty if there is no valid one.

        encoder, sha256, sizes: the encoder's name and hash, the lengths of its two vectors.
        """
        key = cache_key(corpus, sha256)
        path = folder / f"{encoder}-{key[:16]}.npz"
        clips = len(corpus)
        empty: dict[str, Any] = {
            "key": np.array(key),
            "state": np.zeros(clips, np.int8),
            "embedding": np.zeros((clips, sizes[0]), np.float32),
            "emotion": np.zeros((clips, sizes[1]), np.float32),
            "sketch": np.zeros((clips, SKETCH_SIZE), np.float32),
            "length": np.zeros(clips, np.int64),
            "problem": np.full(clips, "", "U200"),
        }
        arrays = _stored(path, empty) or empty
        # What could not be read is tried again: a decoder may have been installed since.
        arrays["state"][arrays["state"] == _UNREADABLE] = _TO_DO
        return cls(path, arrays)

    @property
    def to_do(self) -> Indices:
        return np.flatnonzero(self._arrays["state"] == _TO_DO)

    @property
    def through(self) -> int:
        return int(np.count_nonzero(self._arrays["state"]))

    def write(self, rows: Sequence[CacheRow]) -> None:
        arrays = self._arrays
        for row in rows:
            arrays["state"][row.at] = _UNREADABLE if row.problem else _DONE
            if row.problem:
                arrays["problem"][row.at] = row.problem
            else:
                arrays["embedding"][row.at] = row.embedding
                arrays["emotion"][row.at] = row.emotion
                arrays["sketch"][row.at] = row.sketch
                arrays["length"][row.at] = row.length

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Save what was computed, also after an exception."""
        try:
            yield
        finally:
            self.save()

    def save(self) -> None:
        """Write atomically: a reader sees the old file or the new one.

        Raises CorpusError where it cannot be written.
        """
        if self._saved == self.through:
            return
        try:
            make_private_folder(self.path.parent)
            # Of its own name: another process may be embedding the same corpus.
            descriptor, part = tempfile.mkstemp(".part", self.path.stem, self.path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, **self._arrays)
                Path(part).replace(self.path)
            finally:
                Path(part).unlink(missing_ok=True)
        except OSError as error:
            raise CorpusError(
                f"cannot keep embeddings in {self.path.parent}: {error.strerror}: free some disk "
                "space, or make the folder writable"
            ) from error
        self._saved = self.through

    def done(self) -> Indices:
        return np.flatnonzero(self._arrays["state"] == _DONE)

    def problems(self) -> list[tuple[int, str]]:
        """The clips that could not be read, and why."""
        at = np.flatnonzero(self._arrays["state"] == _UNREADABLE)
        return [(int(i), str(self._arrays["problem"][i])) for i in at]

    def column(self, name: str, at: Indices) -> Any:
        """`embedding`, `emotion`, `sketch` or `length` of some clips."""
        return self._arrays[name][at]


def cache_key(corpus: Corpus, sha256: str) -> str:
    """A hash of the encoder, and of the content of each clip's file and its position there."""
    key = hashlib.sha256(f"{_VERSION} {sha256}".encode())
    files: dict[Path | None, str] = {None: ""}
    for clip in corpus.clips:
        if clip.path not in files:
            files[clip.path] = _content(clip.path)
        file = files[clip.path]
        key.update(repr((file, clip.start_s, clip.end_s, clip.channel)).encode())
    return key.hexdigest()


def _content(path: Path | None) -> str:
    """The hash of a file; of one that cannot be read, what is known of it: it may come back."""
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.errno}"


def _stored(path: Path, like: dict[str, Any]) -> dict[str, Any] | None:
    """The arrays of a cache file; None if it is missing, damaged or has another key."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in like}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    same = all(arrays[n].shape == a.shape and arrays[n].dtype == a.dtype for n, a in like.items())
    return arrays if same and arrays["key"] == like["key"] else None
