"""What a source is."""

from collections.abc import Iterator
from typing import Protocol

from streamer.types import Chunk, Gap, Notice

Delivered = Chunk | Gap | Notice


class HeardFiles(Protocol):
    """Files that were heard to their end, by the sha256 of their bytes."""

    def name_of(self, sha256: str) -> str | None: ...
    def add(self, sha256: str, name: str) -> None: ...


class Source(Protocol):
    """Audio that is heard once, from its start to its end.

    kind: "file", "microphone" or "stdin". name: of the device, or the path as it was given.
    rate_hz, channels: known from construction on; a folder's are those of its first file, and
    each chunk carries its own.

    Iterating yields chunks, gaps and notices in the order of the timeline. A live source yields
    at least four times a second, an empty chunk where nothing came.
    """

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def rate_hz(self) -> int: ...
    @property
    def channels(self) -> int: ...

    def __iter__(self) -> Iterator[Delivered]: ...

    def close(self) -> None:
        """Lets go of the file or device, within seconds even if it hangs; may be called again."""
        ...
