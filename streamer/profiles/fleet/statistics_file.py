"""A device's statistics as one file: an npz without pickle, bound to an encoder and its prior.

It holds the arrays of `learners.fleet.statistics` and nothing else of the profile: no utterance, no
name of a person, profile, recording or machine, no time. What can still be inferred is in
docs/how-to/fleet.md.
"""

import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from streamer.errors import OtherEncoder, ProfileDamaged, ProfileError, UsageError
from streamer.learners.fleet.statistics import VoiceStatistics
from streamer.learners.prior import Prior
from streamer.system import make_private_folder

FORMAT: Final = "streamer-statistics 1"
SUFFIX: Final = ".npz"
# 2,048 values: 3 matrices of 34 MB each. What a file unpacks to is checked before it is.
LARGEST: Final = 128 * 1024 * 1024
_UNREADABLE = (
    KeyError, ValueError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """The encoder, by name and hash, and the prior in relation to which the sums are."""

    encoder: str
    encoder_sha256: str
    prior_sha256: str

    @classmethod
    def of(cls, encoder: str, encoder_sha256: str, prior: Prior) -> Self:
        digest = hashlib.sha256()
        for name, array in sorted(prior.to_arrays().items()):
            # As a prior's file has them, so that one that was read is the same.
            kept = array.astype(np.float32) if array.dtype.kind == "f" else array
            digest.update(f"{name} {kept.shape} {kept.dtype.kind}".encode())
            digest.update(
                kept.tobytes() if kept.dtype.kind == "f" else repr(kept.tolist()).encode()
            )
        return cls(encoder, encoder_sha256, digest.hexdigest())


def write_statistics(
    path: Path, statistics: VoiceStatistics, origin: Origin, epsilon: float | None = None
) -> None:
    """Write it whole or not at all; epsilon: of the noise that is in it, None for none.

    Raises UsageError where something is in the way, ProfileError where it cannot be written.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"{path}: statistics are one file: name it {path.with_suffix(SUFFIX)}")
    if path.exists():
        raise UsageError(f"{path} exists already: name a new file")
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "encoder": np.array(origin.encoder),
        "encoder_sha256": np.array(origin.encoder_sha256),
        "prior_sha256": np.array(origin.prior_sha256),
        "epsilon": np.array(np.inf if epsilon is None else epsilon),
        **statistics.to_arrays(),
    }
    partial = path.with_name(f".{path.name}.part")
    try:
        make_private_folder(path.parent)
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ProfileError(
            f"cannot write {path}: {error.strerror}: free some disk space, or give another file"
        ) from error


def read_statistics(path: Path, origin: Origin, prior: Prior) -> VoiceStatistics:
    """The statistics in an untrusted file, in relation to `prior`.

    Raises ProfileDamaged for a file that holds none, OtherEncoder for those of another encoder or
    prior.
    """
    try:
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > LARGEST:
                raise ValueError(f"it is larger than {LARGEST:,} bytes")
        with np.load(path, allow_pickle=False) as file:
            if str(file["format"]) != FORMAT:
                raise ValueError(f"it is of format {str(file['format'])[:40]!r}, not {FORMAT!r}")
            found = Origin(
                str(file["encoder"])[:64], str(file["encoder_sha256"]), str(file["prior_sha256"])
            )
            arrays = {
                one.name: np.asarray(file[one.name], np.float64) for one in fields(VoiceStatistics)
            }
    except _UNREADABLE as error:
        raise ProfileDamaged(
            f"{path}: {error}: no statistics of a profile; write them again with `streamer export "
            "--statistics`"
        ) from error
    if found.encoder_sha256 != origin.encoder_sha256:
        raise OtherEncoder(
            f"{path} is of the encoder {found.encoder!r} ({found.encoder_sha256[:12]}), not of "
            f"{origin.encoder!r} ({origin.encoder_sha256[:12]}): leave it out, or name its encoder "
            "with --encoder"
        )
    if found.prior_sha256 != origin.prior_sha256:
        raise OtherEncoder(
            f"{path} is in relation to another prior of {origin.encoder!r} "
            f"({found.prior_sha256[:12]}, here {origin.prior_sha256[:12]}): devices whose "
            "statistics are added start from the same prior; install theirs with `streamer models "
            "add --prior`"
        )
    statistics = VoiceStatistics(**arrays)
    if (fault := statistics.fault(prior)) is not None:
        raise ProfileDamaged(f"{path}: {fault}: write it again with `streamer export --statistics`")
    return statistics
