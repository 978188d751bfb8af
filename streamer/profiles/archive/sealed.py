"""An export as one encrypted file: its folder as a tar, in the age format (age-encryption.org/v1).

Without Streamer, `age --decrypt FILE | tar x` opens it. Plain copies exist only in the profile's
own folder, and only until the export is complete.
"""

import importlib
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final

from streamer.errors import ProfileDamaged, ProfileError, UsageError
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.copies import Scratch
from streamer.store.profile import Profile
from streamer.system import make_private_file, make_private_folder, private_opener

SUFFIX: Final = ".age"
# What an export holds, and nothing else is ever written: no path, no link, no device.
_NAME: Final = re.compile(r"[A-Za-z0-9_]+(\.[a-z0-9]+)*|(clips|recordings)/[0-9]+\.flac")

_OPENSSH: Final = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class Secret:
    """Keys for encryption or decryption, or a passphrase where there are none.

    keys: to lock, recipients (age1..., ssh-ed25519 ..., ssh-rsa ...); to open, what a file of
    identities holds (AGE-SECRET-KEY-..., or an OpenSSH private key). With a passphrase the whole
    export is held in memory, as the library offers no other way.
    """

    keys: Sequence[str] = ()
    passphrase: str = ""


def export_sealed(
    profile: Profile, file: Path, settings: Mapping[str, Any], secret: Secret
) -> dict[str, int]:
    """As `export_profile`, to one file that only `secret` opens. Raises the same errors."""
    age = can_seal(file)
    recipients = [_recipient(age, key) for key in secret.keys]
    with profile.copies.scratch() as scratch:
        folder, packed = scratch.path / "plain", scratch.path / "plain.tar"
        counts = export_profile(profile, folder, settings)
        try:
            _pack(folder, packed)
            shutil.rmtree(folder)
            with packed.open("rb") as plain, _whole(file, scratch) as locked:
                if recipients:
                    age.encrypt_io(plain, locked, recipients)
                else:
                    locked.write(age.passphrase.encrypt(plain.read(), secret.passphrase))
        except (OSError, age.EncryptError) as error:
            raise ProfileError(
                f"cannot export to {file}: {_told(error)}: free some disk space, or give another "
                "file; the profile is as it was"
            ) from error
    return counts


def can_seal(file: Path) -> ModuleType:
    """The encryption module. Raises UsageError where it is not installed, or `file` exists."""
    if file.exists():
        raise UsageError(f"{file} exists already: name a new file")
    return _age()


def import_sealed(
    profile: Profile,
    file: Path,
    encoders: Collection[str] | None,
    secret: Secret,
    *,
    replace: bool = False,
    audio: bool = True,
) -> dict[str, int]:
    """As `import_profile`, from what `export_sealed` wrote. Raises the same errors."""
    age = _age()
    identities = [_identity(age, key) for key in secret.keys]
    with profile.copies.scratch() as scratch:
        packed = scratch.path / "plain.tar"
        try:
            with file.open("rb") as locked, open(packed, "wb", opener=private_opener) as plain:
                into = plain if audio else WithoutAudio(plain)
                if identities:
                    age.decrypt_io(locked, into, identities)
                else:
                    into.write(age.passphrase.decrypt(locked.read(), secret.passphrase))
        except (OSError, age.DecryptError) as error:
            raise ProfileError(
                f"{file} does not open ({_told(error)}): give the passphrase, or by --identity "
                "the key, that it was made for; if that is right, the file is damaged"
            ) from error
        unpack(packed, scratch.path / "plain", file)
        folder = scratch.path / "plain"
        return import_profile(profile, folder, encoders, replace=replace, audio=audio)


@contextmanager
def _whole(file: Path, scratch: Scratch) -> Iterator[BinaryIO]:
    """A private file to write, that is there when all of it is on the disk."""
    partial = scratch.part_of(file)
    make_private_folder(partial.parent)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        yield written
        written.flush()
        os.fsync(written.fileno())
    partial.replace(file)


def _pack(folder: Path, tar: Path) -> None:
    """The files only, without the packer's user and folder names."""

    def of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    make_private_file(tar)
    with tarfile.open(tar, "w") as written:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                written.add(path, str(path.relative_to(folder)), filter=of_nobody)


class WithoutAudio:
    """Writes a tar on, with zeros in place of its audio: that is never on the disk.

    What the headers say is not believed: whatever is left out wrongly is missed by the import.
    """

    def __init__(self, plain: BinaryIO) -> None:
        self._plain = plain
        self._waiting = b""
        self._content = 0  # bytes of the current member that are still to come
        self._hidden = False

    def write(self, data: bytes) -> int:
        self._waiting += data
        while True:
            if self._content:
                part = self._waiting[: self._content]
                self._plain.write(bytes(len(part)) if self._hidden else part)
            elif len(self._waiting) >= tarfile.BLOCKSIZE:
                part = self._waiting[: tarfile.BLOCKSIZE]
                self._plain.write(part)
                self._begin(part)
                self._waiting = self._waiting[len(part) :]
                continue
            else:
                return len(data)
            self._waiting = self._waiting[len(part) :]
            self._content -= len(part)
            if not part:
                return len(data)

    def flush(self) -> None:
        self._plain.flush()

    def _begin(self, header: bytes) -> None:
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError:  # the end, or no tar at all: nothing of it is let through
            self._hidden = any(header)
            self._content = sys.maxsize if self._hidden else 0
            return
        self._content = -(-max(member.size, 0) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        self._hidden = member.name.endswith(".flac")


def unpack(tar: Path, folder: Path, file: Path) -> None:
    """Extract the files of an export only; names and sizes in the tar are untrusted."""
    make_private_folder(folder)
    try:
        with tarfile.open(tar, "r:") as members:
            for member in members:
                plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
                # What is sparse says itself how large it gets; the others are as large as the tar.
                content = None if member.issparse() or not plain else members.extractfile(member)
                if content is None or not _NAME.fullmatch(member.name):
                    raise ProfileDamaged(
                        f"{file} holds {member.name[:80]!r}, which no export does: "
                        "export it again, or copy it here once more"
                    )
                path = folder / member.name
                make_private_folder(path.parent)
                with open(path, "xb", opener=private_opener) as written:
                    shutil.copyfileobj(content, written)
    except (tarfile.TarError, FileExistsError, ValueError, OverflowError, RecursionError) as error:
        raise ProfileDamaged(
            f"{file} holds no export ({error}): export it again, or copy it here once more"
        ) from error
    except OSError as error:
        raise ProfileError(f"cannot unpack {file}: {error.strerror}") from error


def identities_in(file: Path) -> list[str]:
    """The keys of a file of age-keygen's, or of OpenSSH. Raises UsageError."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--identity {file}: it cannot be read ({error}): give a file that age-keygen made"
        ) from error
    if text.startswith(_OPENSSH):
        return [text]
    keys = [line.strip() for line in text.splitlines()]
    keys = [key for key in keys if key and not key.startswith("#")]
    if not keys:
        raise UsageError(f"--identity {file} holds no key: give a file that age-keygen made")
    return keys


def _recipient(age: ModuleType, key: str) -> Any:
    kind = age.ssh if key.startswith("ssh-") else age.x25519
    try:
        return kind.Recipient.from_str(key)
    except age.RecipientError as error:
        raise UsageError(f"--to {key[:40]}: {error}: give age1... or an ssh public key") from error


def _identity(age: ModuleType, key: str) -> Any:
    try:
        if key.startswith(_OPENSSH):
            return age.ssh.Identity.from_buffer(key.encode())
        return age.x25519.Identity.from_str(key)
    except age.IdentityError as error:
        raise UsageError(f"--identity: {error}: give a file that age-keygen made") from error


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _age() -> ModuleType:
    try:
        return importlib.import_module("pyrage")
    except ModuleNotFoundError as error:
        raise UsageError("encrypted exports need pyrage: python -m pip install pyrage") from error
