"""The file beside an encoder that holds its prior: an npz without pickle, bound to the encoder."""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.system import commit_private, private_opener

BOUND_TO: Final = "encoder_sha256"
# What these were called before there was a model of how voices differ.
_FORMER: Final = {"embedding_std": "embedding_deviation", "noise_std": "noise"}
_UNREADABLE = (
    KeyError, ValueError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


def write_prior(path: Path, prior: Prior, encoder_sha256: str) -> str:
    """Write it whole or not at all, numbers as float32; the sha256 of the file."""
    partial = path.with_suffix(".part.npz")
    arrays = {name: _stored(array) for name, array in prior.to_arrays().items()}
    # Through an open file: its times and names do not depend on the path.
    with open(partial, "wb", opener=private_opener) as file:
        np.savez(file, allow_pickle=False, **arrays, **{BOUND_TO: np.array(encoder_sha256)})
    commit_private(partial, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_prior(path: Path, encoder: str, sha256: str, sizes: tuple[int, int]) -> Prior:
    """The prior in a file, checked.

    Parameters
    ----------
    encoder, sha256 : of the encoder that it must be of. sizes: of its embedding and emotion vector.

    Raises
    ------
    EncoderError
        For a file that is no prior, or one of another encoder.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {_FORMER.get(name, name): _loaded(file[name]) for name in file.files}
        bound = arrays.pop(BOUND_TO, None)
        prior = Prior.from_arrays(arrays)
    except _UNREADABLE as error:
        raise EncoderError(f"{path}: {error}: not a prior; export the encoder again") from error
    if bound is not None and str(bound) != sha256:
        raise EncoderError(
            f"{path} is the prior of the encoder {str(bound)[:12]}, not of {encoder!r} "
            f"({sha256[:12]}): fit it again (`python -m streamer.training prior`)"
        )
    if (wrong := prior.fault(*sizes)) is not None:
        raise EncoderError(f"{path}: {wrong} for encoder {encoder!r}: export it again")
    return prior


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _loaded(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
