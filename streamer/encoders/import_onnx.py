"""Adding an encoder: measure its file, copy it, and write a row into the user's manifest."""

import hashlib
import re
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.encoders.manifest import write_row
from streamer.encoders.measured_apart import (
    LARGEST_MODEL_BYTES,
    Limits,
    Measured,
    measured_apart,
)
from streamer.encoders.prior_file import write_prior
from streamer.encoders.probe_outputs import Measurement
from streamer.encoders.registry import MANIFEST, EncoderRow, known_encoders
from streamer.errors import EncoderError, UsageError
from streamer.learners.prior import Prior
from streamer.system import commit_private, make_private_folder, private_opener
from streamer.types import Samples

NOT_STATED: Final = "not stated"
SPREAD: Final = 1 / 3  # of valence, arousal and dominance: a third of the way to either end
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the user states about an added encoder.

    embedding, emotion: names of outputs, None to find them. own: of the last values of the
    embedding, how many are the encoder's own valence, arousal and dominance in [-1, 1]: 3 or 0.
    """

    name: str
    licence: str = NOT_STATED
    commercial_use: bool = False
    description: str = ""
    source: str = ""
    embedding: str | None = None
    emotion: str | None = None
    own: int = 0
    training_data: list[dict[str, Any]] = field(default_factory=list)


def add_encoder(
    file: Path,
    folder: Path,
    statement: Statement,
    voices: Sequence[Samples],
    rng: np.random.Generator,
    limits: Limits = Limits(),  # noqa: B008  # it cannot be changed
) -> tuple[EncoderRow, Measurement]:
    """Copy an ONNX file into the models folder and write its row, with a prior, into the manifest.

    It is measured in a process of its own, see `measured_apart`, and is on the disk when this
    returns. voices: utterances of several people, float32 at 16 kHz, for the scale of the outputs.
    rng: for the noise that it is measured with. Raises UsageError for an invalid or existing name,
    EncoderError for a model that does not fit, and a folder that cannot be written.
    """
    check_name(statement.name, folder)
    size_bytes = _size_of(file)
    measured = measured_apart(
        file, statement.embedding, statement.emotion, voices, int(rng.integers(2**32)), limits
    )
    names, found = measured.names, measured.measurement
    row = EncoderRow(
        folder=folder,
        name=statement.name,
        file=f"{statement.name}.onnx",
        sha256=measured.sha256,
        size_bytes=size_bytes,
        licence=statement.licence,
        commercial_use=statement.commercial_use,
        description=statement.description,
        source=statement.source,
        input=names[0],
        embedding=names[1],
        embedding_size=found.embedding_size,
        emotion=names[2],
        emotion_size=found.emotion_size,
        unit_length=found.unit_length,
        min_samples=found.min_samples,
        padding_invariant=found.padding_invariant,
        training_data=statement.training_data,
    )
    try:
        make_private_folder(folder)
        _copy(file, row.path, row.sha256)
        row = _with_prior(row, measured, statement.own)
        kept = {k: v for k, v in asdict(row).items() if k != "folder" and v is not None}
        write_row(folder / MANIFEST, kept)
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"cannot write into the models folder {folder}: {error}: "
            "choose another with STREAMER_MODELS"
        ) from error
    return row, found


def check_name(name: str, folder: Path) -> None:
    """Raises UsageError for a name that is invalid or exists in the folder."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"encoder name {name!r}: use letters, digits, '-', '_' and '.'")
    if name in {row.name for row in known_encoders(folder)}:
        # Profiles are bound to the one that has it.
        raise UsageError(f"encoder {name!r} exists already: choose another --name")


def _size_of(file: Path) -> int:
    try:
        found = file.stat()
    except OSError as error:
        raise EncoderError(f"cannot read {file}: {error.strerror}: give an ONNX file") from error
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_MODEL_BYTES:
        raise EncoderError(
            f"{file} is no file of at most {LARGEST_MODEL_BYTES >> 30} GiB: give an ONNX file that "
            "holds its weights"
        )
    return found.st_size


def _copy(file: Path, path: Path, sha256: str) -> None:
    """Copy it, to the disk; raises EncoderError where it is not what was measured."""
    part = path.with_name(f".{path.name}.part")
    try:
        digest = hashlib.sha256()
        with file.open("rb") as source, open(part, "wb", opener=private_opener) as copied:
            while block := source.read(1 << 20):
                digest.update(block)
                copied.write(block)
        if digest.hexdigest() != sha256:
            raise EncoderError(f"{file} was changed while it was measured: add it again")
        commit_private(part, path)
    finally:
        part.unlink(missing_ok=True)


def _with_prior(row: EncoderRow, measured: Measured, own: int) -> EncoderRow:
    """The row with its prior's file, written beside the model's."""
    prior = measured_prior(measured.embeddings, measured.emotions, own)
    path = row.folder / f"{row.name}.prior.npz"
    digest = write_prior(path, prior, row.sha256)
    return replace(row, prior=path.name, prior_sha256=digest)


def measured_prior(
    embeddings: NDArray[np.float64], emotions: NDArray[np.float64], own: int = 0
) -> Prior:
    """The scale of the outputs over voices [n, d] and [n, e], and what the encoder itself predicts.

    own: see `Statement`. At first the encoder's predictions pass unchanged: they are normalized
    and scaled back by mean 0 and deviation `SPREAD`. Later they follow the voice's own statistics.
    """
    prior = Prior.uninformed(embeddings.shape[1], emotions.shape[1])
    mean, deviation, weights = embeddings.mean(0), embeddings.std(0), prior.weights
    if own:
        mean[-own:], deviation[-own:] = 0.0, SPREAD
        weights[-own:] = SPREAD * np.eye(own)
    return replace(
        prior,
        embedding_mean=mean,
        embedding_deviation=deviation,
        emotion_mean=emotions.mean(0),
        weights=weights,
    )
