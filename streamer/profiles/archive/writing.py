"""Export: a consistent snapshot of a profile to a new folder."""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streamer import __version__
from streamer.errors import ProfileError, UsageError
from streamer.profiles import archive as layout
from streamer.profiles.archive.manifest import Manifest
from streamer.store.profile import Profile
from streamer.store.schema import MIGRATIONS
from streamer.store.tables import TABLES, Row, Table, numbers_used, read_rows
from streamer.system import make_private_folder

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def export_profile(profile: Profile, folder: Path, settings: Mapping[str, Any]) -> dict[str, int]:
    """Write everything to `folder`, completely or not at all; the number of rows by table.

    A process that listens goes on meanwhile. settings: plain values, kept for people to read.
    Raises UsageError where something is in the way, ProfileError where it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: name a new folder")
    try:
        with profile.copies.scratch() as scratch:  # which deletes the part, whatever happens
            partial = scratch.part_of(folder)
            make_private_folder(partial)
            with profile.database.snapshot():
                counts = _Writer(partial).write(profile, settings)
            partial.replace(folder)
    except OSError as error:
        remedy = "free some disk space, or give" if error.errno in _FULL else "give"
        raise ProfileError(
            f"cannot export to {folder}: {error.strerror}: {remedy} another folder; "
            "the profile is as it was"
        ) from error
    return counts


class _Writer:
    """Files of one export; each is hashed as it is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sums: dict[str, str] = {}

    def write(self, profile: Profile, settings: Mapping[str, Any]) -> dict[str, int]:
        for name in layout.AUDIO_FOLDERS.values():
            make_private_folder(self._folder / name)
        counts = {table.name: self._table(profile, table) for table in TABLES}
        empty = profile.is_empty()
        prior = {} if empty else profile.prior().to_arrays()
        self._json(layout.PRIOR, {name: array.tolist() for name, array in prior.items()})
        self._json("settings.json", settings)
        manifest = Manifest(
            version=layout.VERSION,
            streamer=__version__,
            database=len(MIGRATIONS),
            encoder=None if empty else profile.meta("encoder"),
            encoder_sha256=None if empty else profile.meta("encoder_sha256"),
            rows=counts,
            numbers_used=numbers_used(profile.database),
        )
        self._json(layout.MANIFEST, manifest.model_dump())
        self._bytes("README.txt", (layout.__doc__ or "").encode())
        sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
        self._bytes(layout.SUMS, sums.encode())
        return counts

    def _table(self, profile: Profile, table: Table) -> int:
        count = 0
        vectors = {
            column: self._open(layout.vectors_name(table, column)) for column in table.vectors
        }
        with self._open(layout.rows_name(table)) as lines:
            for row in read_rows(profile.database, table):
                for column, file in vectors.items():
                    file.write(row.pop(column))
                if table.audio:
                    row[table.audio] = self._audio(table, row)
                lines.write(_line(row))
                count += 1
        for file in vectors.values():
            file.close()
        return count

    def _audio(self, table: Table, row: Row) -> str | None:
        audio = row[table.audio or ""]
        if audio is None:
            return None
        name = layout.audio_name(table, row["utterance"])
        self._bytes(name, audio)
        return name

    def _json(self, name: str, values: Mapping[str, Any]) -> None:
        self._bytes(name, json.dumps(values, indent=1, allow_nan=False).encode() + b"\n")

    def _bytes(self, name: str, content: bytes) -> None:
        with self._open(name) as file:
            file.write(content)

    def _open(self, name: str) -> "_Summed":
        return _Summed(self._folder / name, name, self._sums)


class _Summed:
    """A private file to write, hashed and synchronized to disk when it is closed."""

    def __init__(self, path: Path, name: str, sums: dict[str, str]) -> None:
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        self._hash = hashlib.sha256()
        self._name = name
        self._sums = sums

    def write(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)

    def close(self) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._sums[self._name] = self._hash.hexdigest()

    def __enter__(self) -> "_Summed":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _line(row: Row) -> bytes:
    return json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n"
