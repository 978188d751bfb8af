"""Delete utterances, audio or emotions, and everything that was learned from them.

Files are deleted first, which needs no room on the disk; then rows, also in the copies that
`reembed` left, where all the rest stays; then the database is shrunk; and at last everything is
learned anew from what is left, all labels with features by the final normalization.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from streamer.errors import DiskFull, NotFound, ProfileDamaged, ProfileError, UsageError
from streamer.loop.profile_model import learn_anew
from streamer.store.audio import Audio
from streamer.store.database import Database
from streamer.store.emotions import Emotions
from streamer.store.heard_files import HeardFiles
from streamer.store.markers import Markers
from streamer.store.marks import ProfileMarks
from streamer.store.profile import FORGOTTEN, Profile, forget_states
from streamer.store.utterances import Utterances

Which = Callable[[Database], Collection[int]]
_HOLDS_NOTHING = """
    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM utterances) AND NOT EXISTS (SELECT 1 FROM enrollments)
"""


def forget_utterances(profile: Profile, numbers: Sequence[int]) -> int:
    """Delete utterances with their audio, labels and influence; how many.

    Also those that are left only in a copy. Raises NotFound for one that is nowhere; DiskFull where
    they are deleted, but nothing could be learned anew, which the next process that opens the
    profile does.
    """
    return len(_forget(profile, lambda database: _present(database, numbers), numbers))


def forget_before(profile: Profile, day: str) -> int:
    """Forget utterances, and event markers, from before a day (YYYY-MM-DD, local time); how many.

    Raises UsageError for what is no date, and as `forget_utterances`.
    """
    try:
        until = datetime.fromisoformat(day).timestamp()
    except ValueError:
        raise UsageError(f"date {day!r}: give YYYY-MM-DD, such as 2026-01-31") from None

    def which(database: Database) -> list[int]:
        Markers(database).delete_before(until)
        return Utterances(database).numbers(heard_before=until)

    return len(_forget(profile, which))


def forget_audio(profile: Profile) -> int:
    """Delete all audio, that of open questions included; they stay open. How many clips.

    Raises ProfileError and its kinds.
    """
    profile.take_over_or_fail("streamer forget")
    profile.delete_copies()
    count = profile.audio.delete_all()
    _in_copies(profile, lambda database: Audio(database).delete_all())
    return count


def forget_emotion(profile: Profile, emotion: str) -> int:
    """Delete the examples of an emotion, and its name from the labels; how many vectors.

    Raises NotFound where the name is not used.
    """
    profile.take_over_or_fail("streamer forget")
    with _erasing(profile):
        members = profile.emotions.enrolled().get(emotion, ())
        found = profile.emotions.forget(emotion)
        found += sum(_in_copies(profile, lambda database: Emotions(database).forget(emotion)))
        if not found:
            raise NotFound(f"nothing is called {emotion!r}; `streamer emotions` lists the emotions")
    return len(members)


def _forget(profile: Profile, which: Which, wanted: Collection[int] = ()) -> set[int]:
    """Delete the utterances that `which` finds in the database and in each copy of it."""
    profile.take_over_or_fail("streamer forget")
    gone: set[int] = set()

    def delete(database: Database) -> int:
        found = which(database)
        _delete_utterances(database, found)
        gone.update(found)
        return len(found)

    with _erasing(profile):
        delete(profile.database)
        _in_copies(profile, delete)
        missing = sorted(set(wanted) - gone)
        if missing:
            profile.utterances.get(missing[0])  # raises NotFound
    if profile.is_to_learn_anew() and not profile.is_empty():
        try:
            with profile.database.transaction():
                profile.forget_states()
                learn_anew(profile)
        except DiskFull as error:
            raise DiskFull(
                f"deleted; the rest could not be learned anew ({error}): the next command does it"
            ) from error
    return gone


def _delete_utterances(database: Database, numbers: Collection[int]) -> None:
    with database.transaction():
        for number in numbers:
            Utterances(database).delete(number)
        if numbers:
            Utterances(database).delete_empty_sessions()
            HeardFiles(database).forget_unused()
            forget_states(database, FORGOTTEN)
            ProfileMarks(database).deleted()


def _in_copies(profile: Profile, work: Callable[[Database], int]) -> list[int]:
    """Do it in every copy that `reembed` left; one that then holds nothing is deleted.

    Raises ProfileDamaged where one cannot be opened, after the others.
    """
    counts: list[int] = []
    unread: list[tuple[Path, ProfileError]] = []
    for path in profile.copies.databases():
        try:
            with closing(Database(path)) as database:
                counts.append(work(database))
                database.vacuum()
                empty = database.row(_HOLDS_NOTHING) is not None
            if empty:
                path.unlink()
        except ProfileError as error:
            unread.append((path, error))
    if unread:
        path, why = unread[0]
        raise ProfileDamaged(
            f"{path}, which reembed left, may still hold what is to be forgotten ({why}): "
            "delete this file, then repeat this"
        ) from why
    return counts


def _present(database: Database, numbers: Sequence[int]) -> list[int]:
    there = set(Utterances(database).numbers())
    return [number for number in numbers if number in there]


@contextmanager
def _erasing(profile: Profile) -> Iterator[None]:
    """On exit, nothing that was deleted can be read from the disk.

    Also where there was nothing to delete: an earlier attempt may have failed at this step.
    """
    profile.delete_copies()
    try:
        yield
    finally:
        profile.database.vacuum()
