"""Adding an encoder: measure its file, copy it, and write a row into the user's manifest."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.encoders.manifest import write_row
from streamer.encoders.onnx import OnnxEncoder, open_session
from streamer.encoders.prior_file import write_prior
from streamer.encoders.probe_outputs import Measurement, choose_outputs, measure, runner
from streamer.encoders.registry import MANIFEST, EncoderRow, known_encoders
from streamer.errors import EncoderError, UsageError
from streamer.learners.prior import Prior
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
    now_s: Callable[[], float],
) -> tuple[EncoderRow, Measurement]:
    """Copy an ONNX file into the models folder and write its row, with a prior, into the manifest.

    voices: utterances of several people, float32 at 16 kHz, for the scale of the outputs. rng and
    now_s: see `measure`. Raises UsageError for an invalid or existing name, EncoderError for a
    model that does not fit and a folder that cannot be written.
    """
    check_name(statement.name, folder)
    try:
        model = file.read_bytes()
    except OSError as error:
        raise EncoderError(f"cannot read {file}: {error.strerror}: give an ONNX file") from error
    # From memory, so that a file that needs others beside it fails now and not after it was copied.
    session = open_session(model)
    names = choose_outputs(session, statement.embedding, statement.emotion)
    found = measure(runner(session, *names), rng, now_s)
    row = EncoderRow(
        folder=folder,
        name=statement.name,
        file=f"{statement.name}.onnx",
        sha256=hashlib.sha256(model).hexdigest(),
        size_bytes=len(model),
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
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(row.path, model)
        row = _with_prior(row, voices, statement.own)
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


def _with_prior(row: EncoderRow, voices: Sequence[Samples], own: int) -> EncoderRow:
    """The row with its prior's file, written beside the model's."""
    encoder = OnnxEncoder(row)
    outputs = [encoder.encode(voice) for voice in voices]
    embeddings = np.array([embedding for embedding, _ in outputs], np.float64)
    emotions = np.array([emotion for _, emotion in outputs], np.float64)
    prior = measured_prior(embeddings, emotions, own)
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


def _write_whole(path: Path, content: bytes) -> None:
    """Write the file atomically."""
    partial = path.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(path)
