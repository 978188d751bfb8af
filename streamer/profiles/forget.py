"""Delete utterances, audio or emotions, and everything that was learned from them.

The rows are deleted first; then the model is relearned from the remaining rows, with the final
normalization for all labels.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from streamer.errors import NotFound, UsageError
from streamer.loop.profile_model import learn_anew
from streamer.store.profile import Profile


def forget_utterances(profile: Profile, numbers: Sequence[int]) -> int:
    """Delete utterances with their audio and labels, and relearn; how many. Raises NotFound."""
    profile.take_over_or_fail("streamer forget")
    with _erasing(profile), profile.database.transaction():
        for number in numbers:
            profile.utterances.get(number)
            profile.utterances.delete(number)
        if numbers:
            profile.utterances.delete_empty_sessions()
            profile.heard_files.forget_unused()
        if not profile.is_empty():
            profile.forget_states()
            learn_anew(profile)
    return len(numbers)


def forget_audio(profile: Profile) -> int:
    """Delete all audio, that of open questions included; they stay open. How many clips.

    Raises ProfileError and its kinds.
    """
    profile.take_over_or_fail("streamer forget")
    profile.delete_copies()
    return profile.audio.delete_all()


def forget_before(profile: Profile, day: str) -> int:
    """Forget utterances from before a day (YYYY-MM-DD, local time); how many.

    Raises UsageError for an invalid date.
    """
    try:
        until = datetime.fromisoformat(day).timestamp()
    except ValueError:
        raise UsageError(f"date {day!r}: give YYYY-MM-DD, such as 2026-01-31") from None
    return forget_utterances(profile, profile.utterances.numbers(heard_before=until))


def forget_emotion(profile: Profile, emotion: str) -> int:
    """Delete the examples of an emotion, and its name from the labels; how many vectors.

    Raises NotFound where the name is not used.
    """
    profile.take_over_or_fail("streamer forget")
    with _erasing(profile):
        members = profile.emotions.enrolled().get(emotion, ())
        if not profile.emotions.forget(emotion):
            raise NotFound(f"nothing is called {emotion!r}; `streamer emotions` lists the emotions")
    return len(members)


@contextmanager
def _erasing(profile: Profile) -> Iterator[None]:
    """On exit, nothing that was deleted can be read from the disk.

    Also where there was nothing to delete: an earlier attempt may have failed at this step.
    """
    try:
        yield
    finally:
        profile.delete_copies()
        profile.database.vacuum()
