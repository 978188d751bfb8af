"""A linear map from the vectors of one encoder to those of another.

For utterances whose audio is not kept: their vectors are all that is left of them. The map is
fitted on speech that both encoders embedded (`training.export.vector_map`) and lies in a models
folder, in a file named by the sha256 of both. What it gives is an estimate of what the other
encoder would have given, and is marked as such in the profile.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from streamer.encoders.registry import EncoderRow, models_folders
from streamer.errors import EncoderError
from streamer.types import Matrix, Samples, Vector

SUFFIX: Final = ".map.npz"
_TINY: Final = 1e-12
_UNREADABLE = (
    KeyError, ValueError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class VectorMap:
    """(embedding, emotion, 1) @ weights is the other encoder's embedding and emotion.

    Attributes
    ----------
    source, target : str
        sha256 of the encoders.
    weights : float64 [d + e + 1, d' + e']
    embedding_size : int
        d', so many of the columns.
    explained : float
        Of the variance of the target's embedding, on voices that were not fitted; at most 1.
    cosine : float
        Mean cosine of the mapped emotion vectors with the true ones there, in [-1, 1].
    """

    source: str
    target: str
    weights: Matrix
    embedding_size: int
    explained: float
    cosine: float

    def apply(self, embedding: Samples, emotion: Samples) -> tuple[Samples, Samples]:
        """Float32 [d'] and float32 [e'] of unit length."""
        mapped = with_one(np.concatenate([embedding, emotion])[np.newaxis]) @ self.weights
        there, feeling = np.split(mapped[0], [self.embedding_size])
        length = max(float(np.linalg.norm(feeling)), _TINY)
        return there.astype(np.float32), (feeling / length).astype(np.float32)


def with_one(vectors: Matrix | Samples) -> Matrix:
    """Float64 [n, d + 1]: a last column of ones, for the intercept."""
    return np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])


def file_name(source: str, target: str) -> str:
    """Of the map between two encoders, by their sha256."""
    return f"{source[:12]}-{target[:12]}{SUFFIX}"


def write_map(path: Path, found: VectorMap) -> None:
    """Write it whole or not at all, its weights as float16."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            source=np.array(found.source),
            target=np.array(found.target),
            weights=found.weights.astype(np.float16),
            embedding_size=np.array(found.embedding_size),
            held_out=np.array([found.explained, found.cosine]),
        )
    partial.replace(path)


def read_map(path: Path) -> VectorMap:
    """Raises EncoderError for a file that is no map."""
    try:
        with np.load(path, allow_pickle=False) as file:
            weights: Matrix = file["weights"].astype(np.float64)
            held_out: Vector = file["held_out"]
            size = int(file["embedding_size"])
            found = VectorMap(
                str(file["source"]), str(file["target"]), weights, size, *held_out.tolist()
            )
    except _UNREADABLE as error:
        raise EncoderError(f"{path}: {error}: not a map between encoders; reinstall it") from error
    if weights.ndim != 2 or not 0 < size < weights.shape[1] or not np.isfinite(weights).all():
        raise EncoderError(f"{path}: weights {weights.shape}: not a map between encoders")
    return found


def maps(own: Path | None = None) -> Iterator[VectorMap]:
    """All maps of the models folders, the user's first. Raises EncoderError."""
    for folder in models_folders(own):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            yield read_map(path)


def find_map(
    source: str, sizes: tuple[int, int], target: EncoderRow, own: Path | None = None
) -> VectorMap | None:
    """The map from the vectors of an encoder to another's, None where there is none.

    source: sha256; sizes: of its vectors. Raises EncoderError for one that does not fit them.
    """
    for folder in models_folders(own):
        path = folder / file_name(source, target.sha256)
        if not path.is_file():
            continue
        found = read_map(path)
        shape = (sum(sizes) + 1, target.embedding_size + target.emotion_size)
        if (found.source, found.target) != (source, target.sha256) or found.weights.shape != shape:
            raise EncoderError(f"{path} is not the map that its name says: reinstall it")
        return found
    return None
