"""A profile: one folder with one SQLite file, bound to one encoder; one process may learn."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from streamer.errors import (
    DiskFull,
    OtherEncoder,
    ProfileBusy,
    ProfileError,
    ProfileReplaced,
    UsageError,
)
from streamer.learners.prior import Prior
from streamer.store.acoustics import Acoustics
from streamer.store.annotation_events import AnnotationEvents
from streamer.store.audio import Audio
from streamer.store.copies import Copies
from streamer.store.database import Database, pack, unpack
from streamer.store.emotion_keys import EmotionKeys
from streamer.store.emotions import Emotions
from streamer.store.heard_files import HeardFiles
from streamer.store.labels import Labels
from streamer.store.lived_time import LivedTime
from streamer.store.markers import Markers
from streamer.store.marks import ProfileMarks
from streamer.store.notes import Notes
from streamer.store.place import trouble
from streamer.store.queries import Queries
from streamer.store.sessions import Sessions
from streamer.store.sources import Sources
from streamer.store.utterances import Utterances
from streamer.system import make_private_folder, private_opener
from streamer.text import path_of

FILE_NAME: Final = "profile.db"
NOT_ASKED: Final = "not_asked"
WAITING: Final = "waiting_to_be_asked"
# The only dimension that the last `run` asked about, or "".
DIMENSION: Final = "dimension"
# What an earlier version learned is to be learned anew; see `schema`.
LEARN_ANEW: Final = "learn_anew"
# A reason for it; any other is an earlier version's.
FORGOTTEN: Final = "forgotten"
LOCK_NAME: Final = "learner.lock"
TOKEN_NAME: Final = "metrics.token"
PAGES_TOKEN_NAME: Final = "pages.token"
PATIENCE_S: Final = 2.0
_NAME = re.compile(r"[\w][\w .-]{0,63}")


def profile_folder(profile: str, home: Path) -> Path:
    """The folder of a profile: `home/NAME`, or the path itself when it has a path separator.

    Raises UsageError for an invalid name.
    """
    if os.sep in profile or (os.altsep and os.altsep in profile):
        try:
            return Path(profile).expanduser().resolve()
        except RuntimeError as error:
            raise UsageError(f"profile {profile!r}: nobody of that name here") from error
    if not _NAME.fullmatch(profile):
        raise UsageError(f"profile name {profile!r}: use letters, digits, '-', '_', or a path")
    return home / profile


def is_running(process: str) -> bool:
    """Whether a process of that id is running. True for an invalid id."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        pass
    return True


class Profile:
    """An open profile. Any number of processes may hold one open; one of them may learn and listen.

    Raises ProfileError and its kinds.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            make_private_folder(folder)
            database_file = folder / FILE_NAME
            if not database_file.exists():
                os.close(private_opener(str(database_file), os.O_CREAT | os.O_RDWR))
        except OSError as error:
            why = trouble(folder / FILE_NAME) if folder.exists() else None
            raise ProfileError(
                f"cannot use the profile folder {folder}: {error.strerror}: "
                f"{why or 'choose another with --profile'}"
            ) from error
        self.database = Database(database_file)
        self.utterances = Utterances(self.database)
        self.labels = Labels(self.database)
        self.emotions = Emotions(self.database)
        self.emotion_keys = EmotionKeys(self.database)
        self.queries = Queries(self.database)
        self.annotation_events = AnnotationEvents(self.database)
        self.audio = Audio(self.database)
        self.acoustics = Acoustics(self.database)
        self.heard_files = HeardFiles(self.database)
        self.sessions = Sessions(self.database)
        self.lived_time = LivedTime(self.database)
        self.sources = Sources(self.database)
        self.markers = Markers(self.database)
        self.notes = Notes(self.database)
        self.marks = ProfileMarks(self.database)
        self.copies = Copies(folder)
        self._lock = FileLock(folder / LOCK_NAME, mode=0o600, thread_local=False)
        self.copies.delete_left()

    def take_over(self, what: str, wait_s: float = 0.0, *, listens: bool = False) -> bool:
        """Become the one process that may learn; False where another one is, after a wait.

        `what` is shown to those who come later. listens: this process will learn what others
        store. The system releases the lock when the process ends, however it ends.
        """
        try:
            self._lock.acquire(timeout=wait_s)
        except Timeout:
            return False
        except OSError as error:
            why = trouble(self.folder / LOCK_NAME) or "choose another with --profile"
            raise ProfileError(f"cannot lock {self.folder}: {error.strerror}: {why}") from error
        since = time.strftime("%H:%M:%S")
        try:
            with self.database.transaction():
                self.set_meta("holder", f"process {os.getpid()}, {what}, since {since}")
                self.database.write("DELETE FROM meta WHERE key = 'listener'")
                if listens:
                    self.set_meta("listener", str(os.getpid()))
        except DiskFull:
            pass  # who deletes needs no room; who writes is told at the first row
        except BaseException:
            self._lock.release()
            raise
        return True

    def let_go(self) -> None:
        """Release the profile for other processes."""
        self._lock.release()

    def take_over_or_fail(self, what: str, *, listens: bool = False) -> None:
        """Raises ProfileBusy, naming the process that has it."""
        if not self.take_over(what, PATIENCE_S, listens=listens):
            holder = self.meta("holder") or "another process"
            raise ProfileBusy(
                f"profile {self.folder.name!r} is in use by {holder}: "
                "stop that one, or choose another with --profile"
            )

    @property
    def is_taken_over(self) -> bool:
        """Whether this object has taken it over."""
        return self._lock.is_locked

    def has_listener(self) -> bool:
        """Whether a running process has taken it over and learns what others store."""
        process = self.meta("listener")
        return process is not None and is_running(process)

    def bind(self, encoder: str, sha256: str, prior: Prior) -> None:
        """Bind a new profile to its encoder; raises OtherEncoder when it belongs to another.

        The prior is stored, so that the model can be recomputed without the encoder.
        """
        bound = self.meta("encoder_sha256")
        if bound is None:
            self.rebind(encoder, sha256, prior)
        elif bound != sha256:
            raise OtherEncoder(
                f"profile {self.folder.name!r} was learned with encoder {self.meta('encoder')!r} "
                f"({bound[:12]}), not {encoder!r} ({sha256[:12]}): "
                f"carry it over with `streamer reembed --encoder {encoder}` (kept audio is "
                "embedded anew; without audio, vectors are mapped where `streamer models` lists a "
                f"map), or go on with the former encoder (--encoder {self.meta('encoder')}) while "
                "its file is unchanged, or choose another --profile"
            )

    def rebind(self, encoder: str, sha256: str, prior: Prior) -> None:
        """Bind to another encoder, after the caller has replaced all vectors."""
        with self.database.transaction():
            self.set_meta("encoder", encoder)
            self.set_meta("encoder_sha256", sha256)
            self.save_state("prior", prior.to_arrays())

    def note_not_asked(self, count: int, waiting: int) -> None:
        """So many questions were let go because the budget was at its end, so many wait for it."""
        if count > 0:
            self.set_meta(NOT_ASKED, str(self.not_asked() + count))
        if waiting != self.waiting_to_be_asked():
            self.set_meta(WAITING, str(waiting))

    def waiting_to_be_asked(self) -> int:
        """How many questions the process that listens keeps until its budget allows them."""
        return int(self.meta(WAITING) or 0)

    def not_asked(self) -> int:
        """The number of questions not asked because of the budget."""
        return int(self.meta(NOT_ASKED) or 0)

    def is_to_learn_anew(self) -> bool:
        """Whether its state must be relearned from the rows.

        It is from an earlier version, or something was forgotten.
        """
        return bool(self.meta(LEARN_ANEW))

    def forget_states(self) -> None:
        """Delete what was learned, and the features it was learned with; the rows stay."""
        forget_states(self.database)

    @contextmanager
    def of_numbering(self, numbering: str | None) -> Iterator[None]:
        """Utterances and labels have the numbers that they had at that mark, in every transaction
        inside. None: whichever they have. Raises ProfileReplaced where they have others.
        """

        def check() -> None:
            if numbering is not None and self.marks.now().numbering != numbering:
                raise ProfileReplaced(
                    "the profile was replaced by another while this was shown, and its numbers "
                    "mean other utterances: load the page again"
                )

        check()
        with self.database.guarded(check):
            yield

    def forget_state(self, name: str) -> None:
        """Delete one learned state, which is then recomputed from the rows."""
        self.database.write("DELETE FROM states WHERE name = ?", name)

    def copy_database(self) -> Path:
        """Write a backup beside the database; returns its path."""
        path = self.folder / f"profile-{time.strftime('%Y%m%d-%H%M%S')}.db"
        self.database.copy_to(path)
        path.chmod(0o600)
        return path

    def recording_of(self, utterance: int) -> Path | None:
        """The source recording of an utterance, if it is a file that still exists."""
        row = self.database.row(
            """SELECT s.kind, s.source AS input, u.source FROM utterances AS u
               JOIN sessions AS s ON s.id = u.session WHERE u.id = ?""",
            utterance,
        )
        if row is None or row["kind"] != "file":
            return None
        path = path_of(row["input"])
        if not path.is_absolute():  # the name of a recording of another machine
            return None
        path = path_of(str(path / row["source"])) if path.is_dir() else path
        return path if path.is_file() else None

    def is_empty(self) -> bool:
        """No session and no enrollment has used it yet."""
        return self.meta("encoder_sha256") is None

    def holder(self) -> str | None:
        """The process that has taken over the profile, or None."""
        if self._lock.is_locked:
            return self.meta("holder")
        try:
            with self._lock.acquire(blocking=False):
                return None
        except Timeout:
            return self.meta("holder")

    def prior(self) -> Prior:
        """Raises ProfileError while the profile is empty."""
        kept = self.load_state("prior")
        if kept is None:
            raise ProfileError(
                f"profile {self.folder.name!r} is empty: run `streamer run` with it first"
            )
        return Prior.from_arrays(kept[0])

    def meta(self, key: str) -> str | None:
        row = self.database.row("SELECT value FROM meta WHERE key = ?", key)
        return row["value"] if row else None

    def set_meta(self, key: str, value: str) -> None:
        self.database.write("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def save_state(self, name: str, arrays: Mapping[str, NDArray[Any]], through: int = 0) -> None:
        """Store learned arrays; `through`: the last label of the log that they contain."""
        self.database.write(
            "INSERT OR REPLACE INTO states (name, arrays, through) VALUES (?, ?, ?)",
            name,
            pack(arrays),
            through,
        )

    def load_state(self, name: str) -> tuple[dict[str, NDArray[Any]], int] | None:
        row = self.database.row("SELECT arrays, through FROM states WHERE name = ?", name)
        return (unpack(row["arrays"]), row["through"]) if row else None

    def delete_copies(self) -> None:
        """Delete all other copies of what is to be forgotten, but the databases left by reembed."""
        self.copies.delete_scratch()
        self._delete_notes()

    def delete_left(self) -> None:
        """Delete the clips, plain copies and notes that killed processes left."""
        self.copies.delete_left()
        self._delete_notes()

    def _delete_notes(self) -> None:
        for path in self.folder.glob("playback-*"):
            if not is_running(path.stem.partition("-")[2]):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        try:
            self.database.close()
        finally:
            self.let_go()


def forget_states(database: Database, reason: str = "") -> None:
    """Delete what was learned from a profile's rows.

    reason: why it is to be learned anew by the next process that opens the profile; "": it is not,
    since the caller does that.
    """
    with database.transaction():
        database.write("DELETE FROM states WHERE name IN ('usual', 'learner')")
        database.write("DELETE FROM lessons")
        database.write("DELETE FROM meta WHERE key = ?", LEARN_ANEW)
        if reason:
            database.write("INSERT INTO meta (key, value) VALUES (?, ?)", LEARN_ANEW, reason)
