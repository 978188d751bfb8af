"""Power is cut while the database is written: it opens, with all that was acknowledged.

What lies on the disk at such a moment is put together from the files before and after each step: as
many bytes of the new log as had been written, the old ones behind them, maybe rubbish after that;
while the log is folded into the file, any of its pages may be old or new. SQLite syncs the log
before a transaction is acknowledged, and the file before the log is begun anew or emptied.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.types import Encoding
from tests.support import bound_profile, label_of, store_utterance

PAGE = 4096


@dataclass
class Disk:
    """What lies there when something has just been acknowledged."""

    database: bytes
    log: bytes
    labels: set[int]
    utterances: set[int]

    @classmethod
    def of(cls, profile: Profile) -> "Disk":
        folder = profile.folder
        labels = {entry.seq for entry in profile.labels.log()}
        log = folder / "profile.db-wal"
        return cls(
            (folder / "profile.db").read_bytes(),
            log.read_bytes() if log.exists() else b"",
            labels,
            set(profile.utterances.numbers()),
        )


def steps(profile: Profile) -> list[Callable[[], object]]:
    rng = np.random.default_rng(2)

    def hear() -> None:
        embedding = rng.normal(size=6).astype(np.float32)
        with profile.database.transaction():
            ProfileModel(profile).adapt(Encoding(embedding, np.ones(4, np.float32)))
            store_utterance(profile, embedding)

    def ask() -> None:
        profile.utterances.select("random", "", [(1, 0.5, bytes(20_000))], [2, 3], 5.0)

    def learn() -> None:
        ProfileModel(profile).catch_up()

    def label(number: int) -> Callable[[], object]:
        return lambda: profile.labels.add([label_of(number, valence=0.1 * number)], 10.0)

    return [
        hear, hear, hear, ask, label(1), label(2), learn, hear, label(3),
        lambda: profile.labels.undo(1, 11.0), learn, label(1), hear,
    ]  # fmt: skip


def cuts(before: Disk, after: Disk, rng: np.random.Generator) -> Iterator[tuple[bytes, bytes]]:
    """(database, log) as they may lie there between the two."""
    log = after.log or before.log  # emptied only when all of it is in the file
    if after.log:
        size = len(log)
        for at in {0, 40, size - 1, *rng.integers(0, size + 1, 4).tolist()}:
            written = log[:at] + before.log[at:]
            yield before.database, written + rng.bytes(int(rng.choice([0, 5_000])))
    else:
        yield from [(before.database, log), (after.database, log), (after.database, b"")]
    if before.database != after.database:
        old = before.database.ljust(len(after.database), b"\0")
        pages = range(0, len(after.database), PAGE)
        for share in (0.2, 0.7):
            new = [rng.random() < share for _ in pages]
            mixed = b"".join(
                (after.database if taken else old)[p : p + PAGE]
                for p, taken in zip(pages, new, strict=True)
            )
            yield mixed, log


def test_what_was_acknowledged_is_there_wherever_it_is_cut(tmp_path: Path) -> None:
    tried, folded = cut_everywhere(tmp_path, np.random.default_rng(4))
    assert folded >= 2
    assert tried > 80


def cut_everywhere(tmp_path: Path, rng: np.random.Generator) -> tuple[int, int]:
    """How many moments were tried, and in how many steps the log was folded into the file."""
    profile = bound_profile(tmp_path / "profile")
    profile.database.rows("PRAGMA wal_autocheckpoint = 12")
    empty_log = profile.database.fold_erased
    erased: list[Callable[[], object]] = []  # emptying the log is a step of its own
    profile.database.fold_erased = lambda: erased.append(empty_log)  # type: ignore[method-assign]
    before = Disk.of(profile)
    tried = folded = 0
    for step in steps(profile):
        step()
        for part in (lambda: None, *erased):
            part()
            after = Disk.of(profile)
            folded += after.database != before.database
            for database, log in cuts(before, after, rng):
                tried += 1
                check(tmp_path / f"cut{tried}", database, log, before, after)
            before = after
        erased.clear()
    profile.close()
    return tried, folded


def check(folder: Path, database: bytes, log: bytes, before: Disk, after: Disk) -> None:
    folder.mkdir()
    (folder / "profile.db").write_bytes(database)
    (folder / "profile.db-wal").write_bytes(log)
    opened = Profile(folder)
    labels = {entry.seq for entry in opened.labels.log()}
    utterances = set(opened.utterances.numbers())
    assert before.labels <= labels <= after.labels
    assert before.utterances <= utterances <= after.utterances
    assert opened.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    profile_model = ProfileModel(opened)
    profile_model.catch_up()
    assert profile_model.model.labels == opened.labels.count()
    opened.close()
