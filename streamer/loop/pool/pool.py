"""A pool on the disk: a folder of Parquet files that only grows, bound to one encoder.

    pool.json                       the encoder, its sizes, the precision of the vectors
    rows/part-000000.parquet ...    utterances; their order over all parts is their number
    recordings/part-000000.parquet  which recordings those are of, by the sha256 of their bytes

A part is written under another name, synced, and renamed: it is there whole or not at all. Parts
are never rewritten, so that the number of an utterance stays. The rows are renamed last: a file of
recordings without its rows is what a killed process left, and counts for nothing.
"""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from streamer.errors import NotFound, OtherEncoder, ProfileBusy, ProfileDamaged, ProfileError
from streamer.loop.pool.schema import (
    EMBEDDING,
    SCHEMA_VERSION,
    arrow,
    recordings_schema,
    rows_schema,
)

if TYPE_CHECKING:
    import pyarrow

FILE_NAME: Final = "pool.json"
_ROWS: Final = "rows"
_RECORDINGS: Final = "recordings"
_TRUST: Final = "trust"
# A kill -9 between two of these leaves no more than a file that does not count.
_UNFINISHED: Final = ".new"


@dataclass(frozen=True, slots=True)
class About:
    """What all parts have in common. id: of this pool, by which a profile knows what was asked."""

    schema: int
    id: str
    encoder: str
    encoder_sha256: str
    embedding_size: int
    emotion_size: int
    precision: str


@dataclass(frozen=True, slots=True)
class Block:
    """Utterances in a row. first: the number of the first; embeddings: [n, d] as stored; trust: of
    their sound, [n]."""

    first: int
    embeddings: NDArray[Any]
    trust: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.trust)

    def of(self, begin: int, end: int) -> Self:
        kept = slice(begin, end)
        return type(self)(self.first + begin, self.embeddings[kept], self.trust[kept])

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].first,
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.trust for part in parts]),
        )


class Pool:
    """An open pool. Any number of processes may read it while one adds to it.

    Raises NotFound where there is none, ProfileDamaged where its description cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        arrow()
        self.folder = folder
        self.about = _about(folder)

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        encoder: str,
        sha256: str,
        embedding_size: int,
        emotion_size: int,
        precision: str,
    ) -> "Pool":
        """A new, empty pool; the one that is there, where there is one."""
        arrow()
        if not is_pool(folder):
            about = About(SCHEMA_VERSION, uuid.uuid4().hex, encoder, sha256,
                          embedding_size, emotion_size, precision)  # fmt: skip
            try:
                for name in (_ROWS, _RECORDINGS):
                    (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
                with _durable(folder / FILE_NAME) as part:
                    part.write_text(json.dumps(asdict(about), indent=1), "utf-8")
            except OSError as error:
                raise ProfileError(
                    f"cannot make a pool in {folder}: {error.strerror}: choose another --pool"
                ) from error
        return cls(folder)

    def check_encoder(self, name: str, sha256: str) -> None:
        """Raises OtherEncoder: vectors of two encoders cannot be compared."""
        if sha256 != self.about.encoder_sha256:
            raise OtherEncoder(
                f"pool {self.folder} was made with encoder {self.about.encoder!r} "
                f"({self.about.encoder_sha256[:12]}), not {name!r} ({sha256[:12]}): use that one, "
                "or another --pool"
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """No other process adds meanwhile. Raises ProfileBusy."""
        lock = FileLock(self.folder / "pool.lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ProfileBusy(
                f"another process is adding to pool {self.folder}: wait for it, or choose another "
                "--pool"
            ) from None
        try:
            for folder in (_ROWS, _RECORDINGS):
                for left in (self.folder / folder).glob(f"*{_UNFINISHED}"):
                    left.unlink()
            yield
        finally:
            lock.release()

    def write_part(self, rows: dict[str, Any], recordings: list[dict[str, Any]]) -> None:
        """Append utterances, by column, and the recordings that they are of. Only while `writing`.

        Vectors are arrays [n, d]; all other columns sequences [n].
        """
        pa = arrow()
        numbers = [int(path.stem.partition("-")[2]) for path in self._parts()]
        name = f"part-{max(numbers, default=-1) + 1:06d}.parquet"
        schema = rows_schema(self.about.precision, asdict(self.about))
        arrays = [_column(rows[field.name], field.type) for field in schema]
        table = pa.Table.from_arrays(arrays, schema=schema)
        try:
            _write(
                self.folder / _RECORDINGS / name,
                pa.Table.from_pylist(recordings, schema=recordings_schema()),
            )
            _write(self.folder / _ROWS / name, table)
        except OSError as error:
            raise ProfileError(
                f"cannot write to pool {self.folder}: {error.strerror or error}: make room, then "
                "give the same command again; what was added stays"
            ) from error

    def recordings(self) -> Iterator[dict[str, Any]]:
        """The columns of `recordings_schema`, one recording after the other."""
        for path in self._parts():
            for batch in self._file(self.folder / _RECORDINGS / path.name).iter_batches():
                yield from batch.to_pylist()

    def counts(self) -> list[tuple[Path, int]]:
        """Every part of the rows, and its number of rows."""
        return [(path, self._file(path).metadata.num_rows) for path in self._parts()]

    def __len__(self) -> int:
        return sum(count for _, count in self.counts())

    def blocks(self, size: int) -> Iterator[Block]:
        """All utterances in blocks of `size`; the last one is smaller.

        Blocks depend on the order of the rows alone, not on the parts.
        """
        waiting: list[Block] = []
        first = 0
        for path in self._parts():
            columns = [EMBEDDING, _TRUST]
            for batch in self._file(path).iter_batches(size, columns=columns, use_threads=False):
                values = np.asarray(batch.column(0).flatten().to_numpy(zero_copy_only=False))
                part = Block(first, values.reshape(batch.num_rows, -1), _numbers(batch.column(1)))
                first += len(part)
                while (room := size - sum(map(len, waiting))) <= len(part):
                    yield Block.together([*waiting, part.of(0, room)])
                    waiting, part = [], part.of(room, len(part))
                if len(part):
                    waiting.append(part)
        if waiting:
            yield Block.together(waiting)

    def clear_numbers(self, size: int, least_trust: float) -> Iterator[NDArray[np.int64]]:
        """The numbers of utterances of at least that trust, of `size` rows at a time."""
        first = 0
        for path in self._parts():
            for batch in self._file(path).iter_batches(size, columns=[_TRUST], use_threads=False):
                yield first + np.flatnonzero(_numbers(batch.column(0)) >= least_trust)
                first += batch.num_rows

    def take(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Whole rows by their numbers, in the order asked; vectors as float32 arrays."""
        pa = arrow()
        wanted = np.array(numbers, np.int64)
        found: dict[int, dict[str, Any]] = {}
        first = 0
        for path, count in self.counts():
            here = np.unique(wanted[(first <= wanted) & (wanted < first + count)])
            if len(here):
                table = self._file(path).read(use_threads=False).take(pa.array(here - first))
                vectors = {
                    field.name: [np.array(v, np.float32) for v in table[field.name].to_pylist()]
                    for field in table.schema
                    if pa.types.is_list(field.type)
                }
                plain = table.drop_columns(list(vectors)).to_pylist()
                for place, row in enumerate(plain):
                    own = {name: values[place] for name, values in vectors.items()}
                    found[int(here[place])] = {**row, **own}
            first += count
        return [found[int(number)] for number in wanted]

    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _parts(self) -> list[Path]:
        return sorted((self.folder / _ROWS).glob("part-*.parquet"))

    def _file(self, path: Path) -> Any:
        import pyarrow.parquet as pq

        try:
            # Not buffered ahead: memory is that of a block, however large a part is.
            return pq.ParquetFile(path, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise ProfileDamaged(
                f"{path} cannot be read ({error}): bring it back from a copy, or delete it here "
                f"and under {_RECORDINGS}/ and add its recordings again"
            ) from error


def is_pool(folder: Path) -> bool:
    return (folder / FILE_NAME).is_file()


def _about(folder: Path) -> About:
    path = folder / FILE_NAME
    if not path.is_file():
        raise NotFound(
            f"there is no pool in {folder}: make one with `streamer pool add`, or name another "
            "with --pool"
        )
    try:
        about = About(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ProfileDamaged(
            f"{path} cannot be read ({error}): bring it back from a copy; the parts hold the same "
            "text as `streamer_pool` in their metadata"
        ) from error
    if about.schema > SCHEMA_VERSION:
        raise ProfileError(
            f"pool {folder} has schema {about.schema}, this version knows {SCHEMA_VERSION}: "
            "upgrade streamer, or use another --pool"
        )
    return about


def _column(values: Any, kind: Any) -> Any:
    pa = arrow()
    if not pa.types.is_list(kind):
        return pa.array(values, kind)
    matrix = np.ascontiguousarray(values)
    bounds = np.arange(len(matrix) + 1, dtype=np.int32) * np.int32(matrix.shape[1])
    return pa.ListArray.from_arrays(bounds, pa.array(matrix.reshape(-1), kind.value_type))


def _write(path: Path, table: "pyarrow.Table") -> None:
    import pyarrow.parquet as pq

    vectors = [f.name for f in table.schema if arrow().types.is_list(f.type)]
    # Vectors neither repeat nor compress.
    others = [f.name for f in table.schema if f.name not in vectors]
    codecs = {name: "NONE" if name in vectors else "ZSTD" for name in table.schema.names}
    paths = {f"{name}.list.element": "NONE" for name in vectors}
    with _durable(path) as part:
        pq.write_table(table, part, compression=codecs | paths, use_dictionary=others)


@contextmanager
def _durable(path: Path) -> Iterator[Path]:
    """A file that gets its name once it is on the disk, or leaves nothing that counts."""
    part = path.with_name(f".{path.name}{_UNFINISHED}")
    try:
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _numbers(column: "pyarrow.Array") -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
