"""Another prior for an encoder that is here, as a row of the user's own manifest."""

import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from streamer.encoders.import_onnx import check_name
from streamer.encoders.manifest import write_row
from streamer.encoders.prior_file import BOUND_TO, read_prior, write_prior
from streamer.encoders.registry import BUILT_IN, MANIFEST, EncoderRow, check_hash, known_encoders
from streamer.errors import EncoderError, UsageError
from streamer.system import make_private_folder, write_private


def add_prior(file: Path, folder: Path, name: str | None = None) -> EncoderRow:
    """Add the encoder of a prior once more, with that prior.

    Parameters
    ----------
    file
        A prior, bound to its encoder by that one's hash.
    folder
        The user's models folder; the encoder is copied into it unless it is there.
    name
        None: the encoder's own name, which then has this prior here.

    Raises
    ------
    EncoderError
        The file is no prior, or one of an encoder that is not here.
    """
    sha256 = _bound_to(file)
    rows = known_encoders(folder)
    row = next((row for row in rows if row.sha256 == sha256 and row != BUILT_IN), None)
    if row is None:
        known = ", ".join(row.name for row in rows)
        raise EncoderError(
            f"{file} is the prior of the encoder {sha256[:12]}, which is not here ({known}): add "
            "that first with `streamer models add FILE`"
        )
    prior = read_prior(file, row.name, row.sha256, (row.embedding_size, row.emotion_size))
    if name is not None and name != row.name:
        check_name(name, folder)
    check_hash(row.path, row.sha256)
    named = name or row.name
    added = replace(
        row, folder=folder, name=named, prior=f"{named}.fleet.prior.npz",
        default=row.default and named == row.name,
    )  # fmt: skip
    try:
        make_private_folder(folder)
        if row.path != added.path:
            if added.path.exists():
                check_hash(added.path, row.sha256)
            else:
                write_private(added.path, row.path.read_bytes())
        digest = write_prior(folder / str(added.prior), prior, row.sha256)
        added = replace(added, prior_sha256=digest)
        kept = {k: v for k, v in asdict(added).items() if k != "folder" and v is not None}
        write_row(folder / MANIFEST, kept)
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"cannot write into the models folder {folder}: {error}: choose another with "
            "STREAMER_MODELS"
        ) from error
    return added


def _bound_to(file: Path) -> str:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return str(arrays[BOUND_TO])
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}: give a prior") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise EncoderError(
            f"{file} is not the prior of an encoder: give what `streamer fleet prior` wrote"
        ) from error
