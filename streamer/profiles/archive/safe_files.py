"""Files of an untrusted folder.

File names are fixed, never taken from the folder. No link is followed, only regular files are
opened, memory is bounded, and each file must match SHA256SUMS.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from streamer.errors import ProfileDamaged

# A board with 512 MB must hold them, parsed: a prior of 2,048 values has 5 MiB, and a year of
# all audio 180,000 hashes.
LARGEST_JSON: Final = 8 * 1024 * 1024
LARGEST_SUMS: Final = 16 * 1024 * 1024
LONGEST_LINE: Final = 1024 * 1024
LARGEST_CLIP: Final = 16 * 1024 * 1024
_SUM: Final = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_LONGEST_SUM: Final = 512
_BLOCK: Final = 1024 * 1024


class Folder:
    """Raises ProfileDamaged for everything that differs from an export."""

    def __init__(self, folder: Path, sums: str) -> None:
        """sums: the name of the file with the hashes."""
        self._folder = folder
        if not folder.is_dir():
            raise ProfileDamaged(f"{folder} is no folder: give one that `streamer export` made")
        self._sums: dict[str, bytes] = {}
        with self._open(sums) as file:
            read = 0
            while line := file.readline(_LONGEST_SUM):
                read += len(line)
                found = _SUM.fullmatch(line.decode("utf-8", "replace").rstrip("\r\n"))
                if found is None:
                    raise self.damaged(sums, f"{line[:80]!r} is no hash and name")
                if read > LARGEST_SUMS:
                    raise self.damaged(sums, f"it is larger than {LARGEST_SUMS:,} bytes")
                self._sums[found[2]] = bytes.fromhex(found[1])

    def json(self, name: str) -> Any:
        """The content of a small JSON file."""
        return self._parsed(name, self._checked(name, LARGEST_JSON))

    def clip(self, name: str) -> bytes:
        """The bytes of a small file."""
        return self._checked(name, LARGEST_CLIP)

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines, one at a time."""
        with self._verified(name) as file:
            while line := file.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise self.damaged(name, f"a line is longer than {LONGEST_LINE:,} bytes")
                row = self._parsed(name, line)
                if not isinstance(row, dict):
                    raise self.damaged(name, "a line is no JSON object")
                yield row

    def pieces(self, name: str, size: int) -> Iterator[bytes]:
        """A file in pieces of `size` bytes; its length must be a multiple."""
        with self._verified(name) as file:
            while piece := file.read(size):
                if len(piece) < size:
                    raise self.damaged(name, f"it is not made up of vectors of {size} bytes")
                yield piece

    def damaged(self, name: str, what: str) -> ProfileDamaged:
        return ProfileDamaged(
            f"{self._folder / name}: {what}: export it again, or copy it here once more"
        )

    def _checked(self, name: str, largest: int) -> bytes:
        content = self._bounded(name, largest)
        self._compare(name, hashlib.sha256(content).digest())
        return content

    def _verified(self, name: str) -> BinaryIO:
        """The open file, at its start, after its hash was checked."""
        file = self._open(name)
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
        self._compare(name, digest.digest())
        file.seek(0)
        return file

    def _bounded(self, name: str, largest: int) -> bytes:
        with self._open(name) as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise self.damaged(name, f"it is larger than {largest:,} bytes")
        return content

    def _compare(self, name: str, found: bytes) -> None:
        said = self._sums.get(name)
        if said is None:
            raise self.damaged(name, "SHA256SUMS does not name it")
        if said != found:
            is_, should_be = found.hex()[:12], said.hex()[:12]
            raise self.damaged(name, f"its sha256 is {is_}, SHA256SUMS says {should_be}")

    def _open(self, name: str) -> BinaryIO:
        path = self._folder / name
        try:
            if path.parent != self._folder and path.parent.is_symlink():
                raise self.damaged(name, "its folder is a link")
            # Opened without waiting: a pipe in its place would never answer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self.damaged(name, error.strerror or str(error)) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self.damaged(name, "it is no regular file")
        return os.fdopen(descriptor, "rb")

    def _parsed(self, name: str, text: bytes) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise self.damaged(name, f"no JSON ({error})") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
