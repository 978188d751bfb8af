"""The available encoders: rows of a manifest, with hash, licence and training data."""

import hashlib
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from streamer.encoders.acoustic import encoder as acoustic
from streamer.encoders.prior_file import read_prior
from streamer.errors import EncoderError
from streamer.learners.prior import Prior

MANIFEST: Final = "manifest.toml"
# The licence of speech that `streamer tune` took from a profile.
PRIVATE: Final = "private"
_PACKAGE = Path(__file__).parent.parent
# In a wheel the models lie inside the package; in a checkout, beside it.
_SHIPPED: Final = (_PACKAGE / "_models", _PACKAGE.parent / "models")


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One `[[encoder]]` of a manifest. Sizes in values; min_samples at rate_hz.

    file: the ONNX file in `folder`; "" for the encoder that is built in and has none.
    padding_invariant: trailing zeros do not change the outputs, so lengths may be rounded up.
    unit_length: the graph gives `emotion` at unit length; otherwise the program normalizes it.
    source: where the weights come from, and who states the licence.
    """

    folder: Path
    name: str
    file: str
    sha256: str
    licence: str
    embedding_size: int
    emotion_size: int
    rate_hz: int = 16_000
    input: str = "audio"
    embedding: str = "embedding"
    emotion: str = "emotion"
    min_samples: int = 1_600
    padding_invariant: bool = False
    unit_length: bool = True
    commercial_use: bool = False
    default: bool = False
    description: str = ""
    source: str = ""
    prior: str | None = None
    prior_sha256: str | None = None
    size_bytes: int = 0
    training_data: list[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / self.file

    @property
    def is_tuned(self) -> bool:
        """A profile's own speech is in its weights."""
        return any(data.get("licence") == PRIVATE for data in self.training_data)


BUILT_IN: Final = EncoderRow(
    folder=_PACKAGE,
    name=acoustic.NAME,
    file="",
    sha256=acoustic.SHA256,
    licence="Apache-2.0",
    embedding_size=len(acoustic.FEATURES),
    emotion_size=len(acoustic.FEATURES),
    commercial_use=True,
    description="pitch, energy, rhythm and spectrum in named functionals; no learned weights",
)


def read_manifest(folder: Path | None = None) -> list[EncoderRow]:
    """All encoders of a models folder; None is the shipped one. Raises EncoderError."""
    if folder is None:
        folder = next((f for f in _SHIPPED if (f / MANIFEST).is_file()), _SHIPPED[0])
    path = folder / MANIFEST
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("encoder", [])
        return [EncoderRow(folder=folder, **row) for row in rows]
    except OSError as error:
        raise EncoderError(
            f"no models manifest {path}: {error.strerror}: "
            "reinstall streamer, or set STREAMER_MODELS"
        ) from error
    except (ValueError, TypeError) as error:  # no TOML, no UTF-8; a key too many or too few
        raise EncoderError(f"{path}: {error}: correct the manifest") from error


def known_encoders(own: Path | None = None) -> list[EncoderRow]:
    """The user's own encoders, those that are shipped, and the built-in one. Raises EncoderError.

    own: the user's models folder, which may have no manifest. Of two rows with one name, and of two
    defaults, the user's wins.
    """
    mine = read_manifest(own) if own is not None and (own / MANIFEST).is_file() else []
    rows: dict[str, EncoderRow] = {}
    for row in (*mine, *read_manifest(), BUILT_IN):
        second = row.default and any(other.default for other in rows.values())
        rows.setdefault(row.name, replace(row, default=False) if second else row)
    return list(rows.values())


def models_folders(own: Path | None = None) -> list[Path]:
    """The user's models folder and the shipped one, those that exist."""
    return [folder for folder in (own, *_SHIPPED) if folder is not None and folder.is_dir()]


def find_encoder(name: str = "", own: Path | None = None) -> EncoderRow:
    """The row of that name, or the default's for "". Raises EncoderError that lists all."""
    if name == BUILT_IN.name:
        return BUILT_IN  # needs no manifest
    rows = known_encoders(own)
    for row in rows:
        if row.name == name or (not name and row.default):
            return row
    known = ", ".join(row.name for row in rows)
    raise EncoderError(f"no encoder {name or 'default'!r} in the manifest; known: {known}")


def verify_files(row: EncoderRow) -> None:
    """Raises EncoderError unless all of an encoder's files match the hashes in its row."""
    if row == BUILT_IN:
        return
    check_hash(row.path, row.sha256)
    if row.prior is not None:
        load_prior(row)


def check_hash(path: Path, sha256: str) -> None:
    """Raises EncoderError if the file is missing or has another hash than the manifest states."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"cannot read the model {path}: {error.strerror}: "
            "reinstall streamer, or set STREAMER_MODELS"
        ) from error
    if found != sha256:
        raise EncoderError(
            f"{path} has sha256 {found[:12]}, its manifest says {sha256[:12]}: "
            "the file was altered or damaged; reinstall it, or correct the manifest"
        )


def load_prior(row: EncoderRow) -> Prior:
    """The encoder's prior, or an uninformed one when its row names none. Raises EncoderError."""
    if row.prior is None:
        return Prior.uninformed(row.embedding_size, row.emotion_size)
    path = row.folder / row.prior
    check_hash(path, row.prior_sha256 or "")
    return read_prior(path, row.name, row.sha256, (row.embedding_size, row.emotion_size))
