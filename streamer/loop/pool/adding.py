"""Add recordings to a pool: each once, by its content; what was killed goes on where it was."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streamer.config import Config
from streamer.encoders.registry import known_encoders
from streamer.errors import UsageError
from streamer.loop.compose import known_profile, make_encoder
from streamer.loop.pool.pool import Pool, is_pool
from streamer.loop.pool.reader import (
    NewRecording,
    PoolReaderSetup,
    PoolRows,
    VoiceUnit,
    columns_of,
)
from streamer.loop.pool.schema import PRECISIONS, arrow
from streamer.loop.table.reader import Fault
from streamer.loop.table.table import SPEAKERS
from streamer.loop.table.units import Unit, list_units
from streamer.loop.workers.in_order import in_order
from streamer.loop.workers.open import open_workers
from streamer.loop.workers.same_encoder import settings_for_workers
from streamer.text import path_text

Progress = Callable[[int, int], None]

PART_ROWS: Final = 8192
# A part is written when the work since the last one is this share of all, and takes a second: few
# files come of long work, and a kill loses no more than that.
PART_SHARE: Final = 0.02
LEAST_S: Final = 1.0
MOST_S: Final = 60.0
_HASHED_AT_ONCE: Final = 1 << 20


@dataclass(slots=True)
class Added:
    """What became of the recordings. known: were in the pool already, by content, or came twice."""

    files: int
    recordings: int = 0
    rows: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def add(
    config: Config,
    folder: Path,
    paths: Sequence[Path],
    *,
    speaker: str | None = None,
    precision: str | None = None,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress = lambda done, total: None,
    now_s: Callable[[], float] = time.monotonic,
) -> Added:
    """Embed recordings into the pool in `folder`, which is made where there is none.

    Parameters
    ----------
    paths
        Recordings and folders of them, as `table` takes them.
    speaker
        ``"folder"``: the recordings of one folder are one voice; ``"channel"``: each channel is.
        None: each recording is a voice by itself.
    precision
        Of the vectors: ``"float16"`` or ``"float32"``; None: the pool's, float16 for a new one.
    jobs, cluster
        See `open_workers`. The rows and their order are the same whatever does the work.
    progress
        Called with the bytes of recordings that are done, and of all.
    now_s
        A steady clock, in seconds.

    Raises
    ------
    UsageError
        For a setting that cannot be meant.
    OtherEncoder
        The pool belongs to another encoder.
    StreamerError
        Of its other kinds; what was added by then stays.
    """
    if speaker not in (None, *SPEAKERS):
        raise UsageError(f"--speaker {speaker}: choose {' or '.join(SPEAKERS)}")
    if speaker == "channel" and config.channel is not None:
        raise UsageError("--speaker channel hears every channel: leave out the setting channel")
    if precision not in (None, *PRECISIONS):
        raise UsageError(f"--precision {precision}: choose {' or '.join(PRECISIONS)}")
    arrow()
    listing = list_units(paths, speaker)
    pool, setup = _opened(config, folder, speaker, precision)
    added = Added(listing.files, notices=list(listing.notices))
    with pool.writing():
        news = _News(pool, listing.units, added)
        parts = _Parts(pool, added, now_s)
        total = sum(unit.size_bytes for unit in listing.units)
        try:
            with open_workers(setup, jobs, cluster) as workers:
                for place, rows in enumerate(in_order(workers.map(news.units()))):
                    parts.add(rows)
                    progress(news.done_bytes(place), total)
        finally:  # also after an error or Ctrl-C: what is there is kept
            parts.write()
    progress(total, total)
    return added


def _opened(
    config: Config, folder: Path, speaker: str | None, precision: str | None
) -> tuple[Pool, PoolReaderSetup]:
    """The pool, made where there is none, and how workers read for it."""
    there = Pool(folder) if is_pool(folder) else None
    encoder = make_encoder(config, config.encoder or _usual_encoder(config, there))
    if there is None:
        there = Pool.create(
            folder,
            encoder=encoder.name,
            sha256=encoder.sha256,
            embedding_size=encoder.embedding_size,
            emotion_size=encoder.emotion_size,
            precision=precision or PRECISIONS[0],
        )
    there.check_encoder(encoder.name, encoder.sha256)
    if precision not in (None, there.about.precision):
        raise UsageError(
            f"--precision {precision}: pool {folder} is of {there.about.precision}: leave the flag "
            "out, or use another --pool"
        )
    settings = settings_for_workers(config)
    return there, PoolReaderSetup(
        settings, encoder.name, encoder.sha256, speaker, there.about.precision
    )


def _usual_encoder(config: Config, pool: Pool | None) -> str:
    """The pool's; for a new pool the profile's, where it has one that is here; else the default."""
    if pool is not None:
        return pool.about.encoder
    with known_profile(config, lambda text: None) as profile:
        bound = profile.meta("encoder")
    here = bound in {row.name for row in known_encoders(config.models)}
    return bound if bound and here else ""


class _News:
    """The recordings that the pool does not hold, looked for as workers ask for them."""

    def __init__(self, pool: Pool, units: Sequence[Unit], added: Added) -> None:
        self._units = units
        self._added = added
        known = list(pool.recordings())
        self._contents = {row["recording"] for row in known}
        self._places = {(row["file"], row["size_bytes"], row["mtime_ns"]) for row in known}
        self._done: list[int] = []

    def units(self) -> Iterator[VoiceUnit]:
        passed = 0
        for unit in self._units:
            passed += unit.size_bytes
            new = [one for path in unit.files if (one := self._new(path.absolute())) is not None]
            if new:
                self._done.append(passed)
                yield VoiceUnit(tuple(new), unit.speaker)

    def done_bytes(self, place: int) -> int:
        """Of all recordings up to the unit that was given out at this place."""
        return self._done[place]

    def _new(self, path: Path) -> NewRecording | None:
        try:
            stat = path.stat()
            if (path_text(path), stat.st_size, stat.st_mtime_ns) in self._places:
                self._added.known += 1
                return None
            sha256 = sha256_of(path)
        except OSError as error:
            self._added.faults.append(Fault(path_text(path), error.strerror or str(error)))
            return None
        if sha256 in self._contents:
            self._added.known += 1
            return None
        self._contents.add(sha256)
        return NewRecording(path, sha256, stat.st_size, stat.st_mtime_ns)


class _Parts:
    """Collects what comes of units, and writes a part when there is enough."""

    def __init__(self, pool: Pool, added: Added, now_s: Callable[[], float]) -> None:
        self._pool = pool
        self._added = added
        self._now_s = now_s
        self._begun_s = self._written_s = now_s()
        self._units: list[PoolRows] = []
        self._rows = 0

    def add(self, rows: PoolRows) -> None:
        self._units.append(rows)
        self._rows += len(rows)
        self._added.faults += rows.faults
        self._added.notices += rows.notices
        now_s = self._now_s()
        due_s = min(max(PART_SHARE * (now_s - self._begun_s), LEAST_S), MOST_S)
        if self._rows >= PART_ROWS or now_s - self._written_s >= due_s:
            self.write()

    def write(self) -> None:
        recordings = [one for unit in self._units for one in unit.recordings]
        if recordings:
            about = self._pool.about
            columns = columns_of(self._units, about.embedding_size, about.emotion_size)
            self._pool.write_part(columns, recordings)
            self._added.rows += self._rows
            self._added.recordings += len(recordings)
        self._units, self._rows, self._written_s = [], 0, self._now_s()


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()
