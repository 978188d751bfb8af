"""Encoded utterances that wait because another program holds the lock of the profile's database.

A program that opens the database and leaves a change uncommitted locks every writer out for as long
as it likes. Whoever listens goes on meanwhile: utterances wait here, in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from streamer.encoders.queue import Encoded
from streamer.errors import ProfileLocked
from streamer.events import Event, Noticed
from streamer.store.database import BUSY_TIMEOUT_S, Database
from streamer.text import many
from streamer.types import SAMPLE_RATE_HZ

# A microphone's ring holds 30 s: no more of it may be waited away at once.
LOCK_PATIENCE_S: Final = 1.0
MOST_WAITING_S: Final = 120.0
LOCKED: Final = "profile_locked"


class Backlog:
    """The utterances in the order in which they were encoded, and whether the database is locked.

    Parameters
    ----------
    database
        Of the profile that they are stored in.
    drops
        Whether an utterance beyond `most_s` is refused: a microphone does not wait, recordings and
        pipes do.
    most_s
        Seconds of speech that may wait.
    patience_s
        How long to wait for the lock where it was free before; where it was not, not at all.
    """

    def __init__(
        self,
        database: Database,
        *,
        drops: bool = False,
        most_s: float = MOST_WAITING_S,
        patience_s: float = LOCK_PATIENCE_S,
    ) -> None:
        self._database = database
        self._drops = drops
        self._most_samples = most_s * SAMPLE_RATE_HZ
        self._patience_s = patience_s
        self._insists = False
        self._is_locked = False
        self._waiting: deque[Encoded] = deque()
        self._samples = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_locked(self) -> bool:
        """Whether the last attempt found the database locked."""
        return self._is_locked

    @property
    def must_wait(self) -> bool:
        """Whether the source has to wait until the database can be written."""
        return not self._drops and self._is_locked and self._samples >= self._most_samples

    @property
    def oldest(self) -> Encoded:
        return self._waiting[0]

    def add(self, encoded: Encoded) -> bool:
        """False where there is no room: it was not taken."""
        size = len(encoded.utterance.audio)
        if self._drops and self._waiting and self._samples + size > self._most_samples:
            return False
        self._waiting.append(encoded)
        self._samples += size
        return True

    def pop(self) -> None:
        """The oldest is stored."""
        self._samples -= len(self._waiting.popleft().utterance.audio)

    def insist(self) -> None:
        """From now on wait as long as any writer does, and raise ProfileLocked after that."""
        self._insists = True

    def attempt(
        self, step: Callable[[], Iterable[Event]], *, waits: bool = False
    ) -> Iterator[Event]:
        """The events of a step that writes; none, and `is_locked`, where the database is locked.

        The step must do nothing before its transaction has begun: it is repeated later.
        waits: be patient although the database was locked before.
        """
        if self._insists:
            events = self._run(step, BUSY_TIMEOUT_S)
            self._is_locked = False
            yield from events
            return
        if self._is_locked:
            with self._database.patience(self._patience_s if waits else 0.0):
                self._is_locked = self._database.is_locked()
            if self._is_locked:
                return
            waiting = f": {many(len(self), 'utterance')} waited for it" if len(self) else ""
            yield Noticed(f"the profile can be written again{waiting}", LOCKED)
        try:
            events = self._run(step, self._patience_s)
        except ProfileLocked:
            self._is_locked = True
            yield Noticed(
                "another program is writing to the profile's database and does not finish: what is "
                f"said waits in memory, {self._most_samples / SAMPLE_RATE_HZ:.0f} s of speech at "
                "most; close that program",
                LOCKED,
            )
        else:
            yield from events

    def _run(self, step: Callable[[], Iterable[Event]], patience_s: float) -> list[Event]:
        """The events at once, so that no consumer runs with this patience."""
        with self._database.patience(patience_s):
            return list(step())
