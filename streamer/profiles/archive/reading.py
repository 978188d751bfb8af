"""Import: an exported folder into an empty profile, completely or not at all.

The folder is untrusted input: names, sizes, types and values are checked first, and learned state
is not read but recomputed from the rows.
"""

import io
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from streamer.errors import OtherEncoder, ProfileError, ProfileTooNew, UsageError
from streamer.learners.prior import Prior, is_outdated
from streamer.loop.profile_model import learn_anew
from streamer.profiles import archive as layout
from streamer.profiles.archive.manifest import Manifest
from streamer.profiles.archive.safe_files import Folder
from streamer.store.profile import LEARN_ANEW, Profile
from streamer.store.schema import MIGRATIONS
from streamer.store.tables import (
    TABLES,
    Row,
    Table,
    clear_rows,
    use_numbers_after,
    write_row,
)
from streamer.text import annotator_name, emotion_name
from streamer.types import DIMENSIONS, SAMPLE_RATE_HZ, Prediction, Quality, Verdict

LONGEST_CLIP_S: Final = 600
# A learner holds three matrices of as many rows and columns: 100 MB, on a board with 512.
LARGEST_VECTOR: Final = 2_048
_DOCUMENTS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "quality": TypeAdapter(Quality),
    "prediction": TypeAdapter(Prediction),
    "verdict": TypeAdapter(Verdict),
    "accounting": TypeAdapter(dict[str, int | float | dict[str, int]] | None),
}


def import_profile(
    profile: Profile,
    folder: Path,
    encoders: Collection[str] | None,
    *,
    replace: bool = False,
    audio: bool = True,
) -> dict[str, int]:
    """Read what `export_profile` wrote; how many rows of each table.

    Recordings are names from then on: what another machine, or anybody, says of files here is not
    believed, so none of them is ever opened for an imported utterance.

    encoders: the sha256 of those that are here; an export of another is refused. None: of any.
    replace: what the profile holds is given up for it. audio: whether it may be written to disk.
    Raises ProfileError and its kinds; then the profile is as it was.
    """
    profile.take_over_or_fail("streamer import")
    if not replace and (not profile.is_empty() or profile.utterances.numbers()):
        raise ProfileError(
            f"profile {profile.folder.name!r} is not empty: choose another with --profile, "
            "or overwrite its contents with --replace"
        )
    files = Folder(folder, layout.SUMS)
    manifest = _manifest(files, encoders)
    tables = [table for table in TABLES if table.since <= manifest.database]
    counts = {table.name: 0 for table in tables}
    with profile.database.transaction():
        clear_rows(profile.database)
        profile.marks.renumbered()
        if manifest.encoder_sha256 is not None:
            prior = _prior(files)
            profile.rebind(manifest.encoder or "", manifest.encoder_sha256, prior)
            for table in tables:
                counts[table.name] = _Reader(files, table, prior, audio).read_into(profile)
            if counts != manifest.rows:
                raise files.damaged(
                    layout.MANIFEST, f"it says {manifest.rows}, but the rows are {counts}"
                )
            use_numbers_after(profile.database, manifest.numbers_used)
            learn_anew(profile)
            if is_outdated(files.json(layout.PRIOR)):
                profile.set_meta(LEARN_ANEW, "1")
        if not audio:  # also for who labels later, without these settings
            profile.set_meta("privacy", "embeddings")
    if replace:
        profile.delete_copies()
        profile.copies.delete_databases()
        profile.database.vacuum()
    return counts


class _Reader:
    """Reads one table's rows with their arrays."""

    def __init__(self, files: Folder, table: Table, prior: Prior, keeps_audio: bool) -> None:
        self._files = files
        self._table = table
        self._keeps_audio = keeps_audio
        self._name = layout.rows_name(table)
        embedding, emotion = len(prior.embedding_mean), len(prior.emotion_mean)
        self._sizes = {"embedding": embedding, "emotion": emotion, "vector": emotion,
                       "features": embedding}  # fmt: skip

    def read_into(self, profile: Profile) -> int:
        count = 0
        vectors = {column: self._vectors(column) for column in self._table.vectors}
        for row in self._files.lines(self._name):
            count += 1
            if row.keys() & vectors.keys():
                raise self._damaged(count, "it holds a vector, whose place is another file")
            try:
                self._check(row)
                row |= {column: next(pieces) for column, pieces in vectors.items()}
                if self._table.audio:
                    row[self._table.audio] = self._audio(row) if self._keeps_audio else None
                    if self._table.is_audio and not self._keeps_audio:
                        continue
                write_row(profile.database, self._table, row)
            except StopIteration:
                raise self._damaged(count, "there is no vector to it") from None
            except (ValueError, KeyError, TypeError, UsageError) as error:
                raise self._damaged(count, str(error)) from error
        for column, pieces in vectors.items():
            if next(pieces, None) is not None:
                raise self._damaged(count, f"there are more vectors of {column} than rows")
        return count

    def _damaged(self, line: int, what: str) -> ProfileError:
        return self._files.damaged(self._name, f"line {line}: {what[:200]}")

    def _vectors(self, column: str) -> Iterator[bytes]:
        kind = np.dtype(self._table.vectors[column])
        name = layout.vectors_name(self._table, column)
        for piece in self._files.pieces(name, self._sizes[column] * kind.itemsize):
            if not np.isfinite(np.frombuffer(piece, kind)).all():
                raise self._files.damaged(name, "a vector is not finite")
            yield piece

    def _check(self, row: Row) -> None:
        """Checks that the schema cannot express. Raises ValueError, UsageError."""
        for column in _DOCUMENTS.keys() & row.keys():
            try:
                _DOCUMENTS[column].validate_json(json.dumps(row[column]), strict=True)
            except ValidationError as error:
                raise ValueError(f"{column}: {error.errors()[0]['msg']}") from error
        if row.get("emotion") is not None:
            row["emotion"] = emotion_name(row["emotion"])
        if "annotator" in row:
            row["annotator"] = annotator_name(row["annotator"])
        if row.get("kind") == "file":
            row["source"] = PurePosixPath(str(row["source"])).name
        if self._table.name == "labels":
            low, high = row["scale_low"], row["scale_high"]
            given = [row[name] for name in DIMENSIONS if row[name] is not None]
            if not low < high or not all(low <= value <= high for value in given):
                raise ValueError("its answers are not on its scale")

    def _audio(self, row: Row) -> bytes | None:
        name = row[self._table.audio or ""]
        if name is None:
            return None
        expected = layout.audio_name(self._table, row["utterance"])
        if name != expected or not isinstance(row["utterance"], int):
            raise ValueError(f"its audio is {name!r}, not {expected!r}")
        clip = self._files.clip(expected)
        if not _is_clip(clip):
            raise self._files.damaged(expected, "it is no FLAC of an utterance, mono at 16 kHz")
        return clip


def _is_clip(clip: bytes) -> bool:
    """Whether it decodes to no more than its header says:

    a small file may expand to years of audio.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(clip)) as file:
            kind = (file.format, file.samplerate, file.channels)
            fits = 0 < file.frames <= LONGEST_CLIP_S * SAMPLE_RATE_HZ
            return (
                fits
                and kind == ("FLAC", SAMPLE_RATE_HZ, 1)
                and len(file.read(file.frames, dtype="float32")) == file.frames
            )
    except (soundfile.SoundFileError, OSError, ValueError, TypeError):
        return False


def read_manifest(files: Folder) -> Manifest:
    """The manifest of an export that this version can read.

    Raises ProfileDamaged, ProfileTooNew.
    """
    try:
        manifest = Manifest.model_validate(files.json(layout.MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise files.damaged(layout.MANIFEST, f"{place}: {first['msg']}") from error
    if manifest.version > layout.VERSION or manifest.database > len(MIGRATIONS):
        raise ProfileTooNew(
            f"the export is of format {manifest.version} and schema {manifest.database}, this "
            f"version knows {layout.VERSION} and {len(MIGRATIONS)}: upgrade streamer"
        )
    return manifest


def _manifest(files: Folder, encoders: Collection[str] | None) -> Manifest:
    manifest = read_manifest(files)
    sha256 = manifest.encoder_sha256
    if sha256 is not None and encoders is not None and sha256 not in encoders:
        raise OtherEncoder(
            f"the export was learned with encoder {manifest.encoder!r} ({sha256[:12]}), which is "
            "not here: add it (`streamer models add FILE`), or import with --any-encoder and then "
            "`streamer reembed` what audio there is"
        )
    return manifest


def _prior(files: Folder) -> Prior:
    values = files.json(layout.PRIOR)
    try:
        prior = Prior.from_arrays({name: _array(value) for name, value in values.items()})
        sizes = len(prior.embedding_mean), len(prior.emotion_mean)
        if not 0 < max(sizes) <= LARGEST_VECTOR:
            raise ValueError("vectors of {} and {}".format(*sizes))
        if (fault := prior.fault(*sizes)) is not None:
            raise ValueError(fault)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise files.damaged(layout.PRIOR, f"no prior ({error})") from error
    return prior


def _array(value: object) -> NDArray[Any]:
    """Of numbers float64, of names str."""
    array = np.array(value)
    return array if array.dtype.kind == "U" else array.astype(np.float64)
